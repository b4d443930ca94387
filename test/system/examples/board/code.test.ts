import { describe, expect, it } from '@jest/globals';
import { chartPagination } from '../../../../examples/board/src/api/chartPagination.ts';
import { arrangeTiles } from '../../../../examples/board/src/chart/arrangeTiles.ts';
import { toCsv } from '../../../../examples/board/src/chart/chartCsv.ts';
import { describeChanges } from '../../../../examples/board/src/chart/describeChanges.ts';
import type { Chart } from '../../../../examples/board/src/chart/useChart.ts';
import { range } from '../../../support/charts.ts';

type Edge = Chart['edges'][number];

function makeEdge(rank: number, node: Partial<Edge['node']> = {}): Edge {
  return {
    ...{ rank, previousRank: null, movement: null, history: [] },
    node: {
      ...{ id: `v${rank}`, title: `Video ${rank}`, itemUrl: `https://www.tiktok.com/@a/video/${rank}` },
      ...{ duration: 5, cover: null, coverExpiresAt: null, creator: null, stats: null, ...node },
    },
  };
}

function makeWindow(ranks: readonly number[], facts: Partial<Chart> = {}): Chart {
  return {
    ...{ totalCount: 100, fetchedAt: '2026-01-02T10:00:00.000Z', stale: false, comparedWith: null },
    edges: ranks.map((rank) => makeEdge(rank)),
    pageInfo: { hasNextPage: true, endCursor: `after ${ranks.at(-1)}` },
    ...facts,
  };
}

/** What the cache has after windows have arrived in this order. */
function mergeAll(...windows: readonly (Chart | null)[]): Chart | undefined {
  const { merge } = chartPagination;
  if (typeof merge !== 'function') throw new Error('expected a function');
  let list: Parameters<typeof merge>[0];
  // It uses none of the options.
  const options = {} as Parameters<typeof merge>[2];
  for (const window of windows) list = merge(list, window, options);
  return list && { ...list, edges: [...list.edges] };
}

describe('the list of a chart in the cache', () => {
  const ranksOf = (list: Chart | undefined): number[] => (list?.edges ?? []).map(({ rank }) => rank);

  it('has the ranks of all windows, in whichever order they arrive', () => {
    const [first, second, third] = [range(1, 20), range(21, 40), range(41, 60)].map((ranks) =>
      makeWindow(ranks),
    ) as [Chart, Chart, Chart];
    expect(ranksOf(mergeAll(first, second, third))).toEqual(range(1, 60));
    // A window from the top keeps what is below it, and where the list continues.
    const refreshed = mergeAll(first, second, third, first);
    expect(ranksOf(refreshed)).toEqual(range(1, 60));
    expect(refreshed?.pageInfo.endCursor).toBe('after 60');
    expect(ranksOf(mergeAll(second, first))).toEqual(range(1, 40));
  });

  it('has the newest video of each rank', () => {
    const moved = makeWindow(range(1, 2), { edges: [makeEdge(1, { id: 'new' }), makeEdge(2)] });
    const list = mergeAll(makeWindow(range(1, 4)), moved);
    expect(list?.edges.map(({ node }) => node.id)).toEqual(['new', 'v2', 'v3', 'v4']);
  });

  it('ends where the chart ends now', () => {
    const end = { hasNextPage: false, endCursor: null };
    const shorter = mergeAll(makeWindow(range(1, 20)), makeWindow(range(1, 5), { totalCount: 12 }));
    expect(ranksOf(shorter)).toEqual(range(1, 12));
    const empty = mergeAll(makeWindow(range(1, 20)), makeWindow([], { totalCount: 20, pageInfo: end }));
    expect([ranksOf(empty), empty?.pageInfo]).toEqual([range(1, 20), end]);
    expect(ranksOf(mergeAll(makeWindow(range(1, 20)), makeWindow([], { totalCount: 0 })))).toEqual([]);
  });

  it('is as old as its oldest window, and stale while any of its windows is', () => {
    const [old, fresh] = ['2026-01-02T09:00:00.000Z', '2026-01-02T11:00:00.000Z'] as const;
    const first = makeWindow(range(1, 2), { fetchedAt: old, stale: true });
    const second = makeWindow(range(3, 4), { fetchedAt: fresh });
    expect(mergeAll(first, second)).toMatchObject({ fetchedAt: old, stale: true });
    expect(mergeAll(second, first)).toMatchObject({ fetchedAt: old, stale: true });
    const refreshed = makeWindow(range(1, 2), { fetchedAt: fresh });
    expect(mergeAll(first, second, refreshed)).toMatchObject({ fetchedAt: fresh, stale: false });
  });

  it('is compared with a day only if all of its windows are', () => {
    const compared = (day: number, ranks: readonly number[]): Chart =>
      makeWindow(ranks, { comparedWith: { takenAt: `2026-01-0${day}T12:00:00.000Z`, knownRanks: 40 } });
    const [first, second, next] = [compared(1, [1, 2]), compared(1, [3, 4]), compared(2, [1, 2])];
    expect(mergeAll(first, second)?.comparedWith).toEqual(first.comparedWith);
    expect(mergeAll(first, second, next)?.comparedWith).toBeNull();
    expect(mergeAll(first, second, next, compared(2, [3, 4]))?.comparedWith).toEqual(next.comparedWith);
  });

  it('stays after an error', () => {
    expect(mergeAll(null)).toBeUndefined();
    expect(ranksOf(mergeAll(makeWindow([1, 2]), null))).toEqual([1, 2]);
  });
});

describe('what a refresh has changed', () => {
  const numbers = (fetchedAt: string) => ({ stats: { views: 1, likes: 1, fetchedAt, stale: false } });

  it.each([
    ['nothing', [makeEdge(1)], [makeEdge(1)], 'Refreshed: nothing has changed.'],
    [
      'ranks',
      [1, 2, 3].map((rank) => makeEdge(rank)),
      [makeEdge(1, { id: 'v2' }), makeEdge(2, { id: 'v1' }), makeEdge(3, { id: 'v9' })],
      'Refreshed: 2 videos moved, 1 entered and 1 left the top 3.',
    ],
    [
      'numbers',
      [makeEdge(1, numbers('a'))],
      [makeEdge(1, numbers('b'))],
      'Refreshed: 1 video has new numbers.',
    ],
    [
      'a video that was in two windows',
      [makeEdge(1), makeEdge(2), makeEdge(3, { id: 'v1' })],
      [makeEdge(1), makeEdge(2, { id: 'v3' }), makeEdge(3)],
      'Refreshed: 1 entered and 1 left the top 3.',
    ],
    ['a longer list', [makeEdge(1)], [makeEdge(1), makeEdge(2)], 'Refreshed: 1 entered the top 2.'],
    ['an empty chart', [makeEdge(1)], [], 'Refreshed: 1 left the chart.'],
    ['lost numbers', [makeEdge(1, numbers('a'))], [makeEdge(1)], 'Refreshed: nothing has changed.'],
  ])('%s', (_, before, after, text) => {
    expect(describeChanges(before, after)).toBe(text);
  });
});

describe('the tiles of a list', () => {
  const find = (search: string): string[] =>
    arrangeTiles(
      [
        makeEdge(1, { title: 'Radio CAFÉ 🎵' }),
        makeEdge(2, { title: 'radio', creator: { handle: 'neon', url: '' } }),
      ],
      'rank',
      search,
    ).map(({ node }) => node.id);

  it.each([
    ['', ['v1', 'v2']],
    ['RADIO', ['v1', 'v2']],
    ['cafe', ['v1']],
    ['café', ['v1']],
    ['radio @neon', ['v2']],
    ['neon  cafe', []],
  ])('have all words of a search, without regard to capitals and accents: %j', (search, ids) => {
    expect(find(search)).toEqual(ids);
  });
});

describe('a chart as CSV', () => {
  const readRows = async (...edges: Edge[]): Promise<string[]> => (await toCsv(edges)).split('\r\n').slice(1);

  it('has a row for each video, and leaves what is unknown empty', async () => {
    const stats = { views: 3_880_512_341, likes: null, fetchedAt: '2026-01-02T09:00:00.000Z', stale: false };
    const creator = { handle: 'neon', url: 'https://www.tiktok.com/@neon' };
    const up: Edge = { ...makeEdge(2, { stats, creator }), previousRank: 5, movement: 'UP' };
    expect(await readRows(up, makeEdge(3, { duration: 0 }))).toEqual([
      '2,5,up,Video 2,neon,https://www.tiktok.com/@a/video/2,5,3880512341,',
      '3,,,Video 3,,https://www.tiktok.com/@a/video/3,,,',
      '',
    ]);
  });

  it('quotes what RFC 4180 says', async () => {
    const text = await toCsv([makeEdge(1, { title: 'a "b", c\nd' })]);
    expect(text).toContain('1,,,"a ""b"", c\nd",');
  });

  it.each([
    '=1+1',
    '+1',
    '-1',
    '@SUM(1)',
    '\t=1',
    '\r=1',
    '\n=1',
    '=a\nb',
    '＝1',
    '＋1',
    '－1',
    '＠x',
    ' =1',
  ])('defuses the formula %j', async (title) => {
    const text = await toCsv([makeEdge(1, { title })]);
    expect(text).toMatch(/\r\n1,,,"?\s*'/);
  });

  it('defuses creators and links, too', async () => {
    const creator = { handle: '=1+1', url: '' };
    const itemUrl = 'https://www.tiktok.com/@a/video/1;=1+1';
    const text = await toCsv([makeEdge(1, { creator, itemUrl })]);
    expect(text).toContain("\r\n1,,,Video 1,'=1+1,https://www.tiktok.com/@a/video/1;'=1+1,");
  });

  it('also defuses what becomes a cell where lines are split at semicolons or tabs', async () => {
    const text = await toCsv([makeEdge(1, { title: 'a;=1;b\t+2\n@c - d' })]);
    expect(text).toContain(`"a;'=1;b\t'+2\n'@c - d"`);
  });
});
