import { afterEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import {
  describeEachExecution,
  type EmulatedApp,
  type GraphqlResult,
  startEmulatedApp,
} from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { until } from '../support/until.ts';

interface Stats {
  readonly views: number | null;
  readonly stale: boolean;
}
interface Node {
  readonly id: string;
  readonly itemId: string;
  readonly stats: Stats | null;
}
interface Data {
  readonly trendingVideos: {
    readonly nodes: Node[];
    readonly pageInfo: { readonly endCursor: string; readonly startCursor: string };
  };
}

const HOUR = 3_600_000;
const TTL = 6 * HOUR;
const QUERY = `query ($first: Int, $after: String, $last: Int, $before: String) {
  trendingVideos(first: $first, after: $after, last: $last, before: $before) {
    nodes { id itemId stats { views stale } } pageInfo { startCursor endCursor }
  }
}`;

let app: EmulatedApp;
let clock: TestClock;
let events: AppEvent[];

async function start(
  variables: Record<string, string> = {},
  switches: Parameters<typeof startEmulatedApp>[0] = {},
): Promise<void> {
  clock = createTestClock(Date.UTC(2026, 0, 1, 12));
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startEmulatedApp(switches, variables, { clock, random: () => 0, onEvent });
}

const ask = (
  variables: Record<string, unknown> = { first: 20 },
  query = QUERY,
): Promise<GraphqlResult<Data>> => app.query<Data>(query, variables);

/** The batches that were bought, as lists of ids. */
function batches(): string[][] {
  return app.bill.flatMap(({ video_ids }) => (video_ids === undefined ? [] : [video_ids.split(',')]));
}

/** Waits until so many batches were bought in the background, and are cached. */
async function seeRefreshes(count: number): Promise<void> {
  const isRefresh = (event: AppEvent): boolean =>
    event.type === 'upstreamCall' && event.endpoint === 'videoAnalytics' && event.background;
  await until(() => events.filter(isRefresh).length >= count);
  await settle();
}

function nodesOf({ data, errors }: GraphqlResult<Data>): readonly Node[] {
  expect(errors).toBeUndefined();
  return data?.trendingVideos.nodes ?? [];
}

describeEachExecution(() => {
  afterEach(() => app.close());

  describe('the bill of numbers', () => {
    it('is a credit for 10 videos, and nothing when they are cached', async () => {
      await start();
      const first = await ask();
      expect(nodesOf(first)).toHaveLength(20);
      expect(nodesOf(first).every(({ stats }) => stats !== null && !stats.stale)).toBe(true);
      expect(first.extensions.upstream).toEqual({
        source: 'keyapi',
        requests: 3,
        credits: 4,
        pages: { cached: 0, stale: 0, shared: 0, fetched: 1 },
        stats: { cached: 0, stale: 0, shared: 0, fetched: 20 },
      });
      const second = await ask({ first: 19 });
      expect(second.extensions.upstream).toMatchObject({
        requests: 0,
        credits: 0,
        stats: { cached: 19, stale: 0, shared: 0, fetched: 0 },
      });
      expect(app.emulator.counts).toMatchObject({ requests: 3, credits: 4 });
    });

    it('is nothing, and is not mentioned, when none are selected', async () => {
      await start();
      for (const selection of ['itemId', 'stats { __typename }', 'stats @skip(if: true) { views }']) {
        const { data, errors, extensions } = await ask({}, `{ trendingVideos { nodes { ${selection} } } }`);
        expect(errors).toBeUndefined();
        expect(data?.trendingVideos.nodes).toHaveLength(20);
        expect(extensions.upstream).not.toHaveProperty('stats');
      }
      expect(await ask({}, '{ trendingVideos { nodes { stats { __typename } } } }')).toMatchObject({
        data: { trendingVideos: { nodes: Array(20).fill({ stats: { __typename: 'VideoStats' } }) } },
      });
      expect(batches()).toEqual([]);
    });

    it.each([1, 3, 7, 13, 20, 33, 100])(
      'is 50 requests for a walk over 500 videos in windows of %i',
      async (first) => {
        await start();
        let after: string | null = null;
        let videos = 0;
        while (videos < 500) {
          const result: GraphqlResult<Data> = await ask({ first, after });
          videos += nodesOf(result).length;
          after = result.data?.trendingVideos.pageInfo.endCursor ?? null;
        }
        expect(batches()).toHaveLength(50);
        expect(new Set(batches().flat()).size).toBe(500);
        expect(app.emulator.counts.credits).toBe(25 * 2 + 50);
      },
    );

    it('is 50 requests for a walk backwards', async () => {
      await start();
      let before: string | null = null;
      for (let videos = 0; videos < 500; ) {
        const result: GraphqlResult<Data> = await ask({ last: 7, before });
        videos += nodesOf(result).length;
        before = result.data?.trendingVideos.pageInfo.startCursor ?? null;
      }
      expect(batches()).toHaveLength(50);
    });

    it('is 2 requests for 500 concurrent operations for one window', async () => {
      await start();
      const results = await Promise.all(range(1, 500).map((index) => ask({ first: 20, unused: index })));
      expect(results.every((result) => nodesOf(result).every(({ stats }) => stats))).toBe(true);
      expect(app.emulator.counts).toMatchObject({ requests: 3, credits: 4 });
      const costs = results.map(({ extensions }) => extensions.upstream);
      expect(costs.reduce((sum, { credits }) => sum + credits, 0)).toBe(4);
    });

    it('collects the videos of all aliases and lookups of one tick, each once', async () => {
      await start();
      const ids = nodesOf(await ask({ first: 100 }, QUERY.replace('stats { views stale }', ''))).map(
        ({ itemId }) => itemId,
      );
      const query = `query ($one: ID!, $ids: [ID!]!) {
        a: trendingVideos(first: 4) { nodes { stats { views } } edges { node { stats { likes } } } }
        b: trendingVideos(first: 6) { nodes { stats { views } } }
        c: trendingVideo(itemId: $one) { stats { views } }
        d: trendingVideosByItemId(itemIds: $ids) { stats { views } }
      }`;
      const variables = { one: ids[6], ids: [ids[7], ids[7], ids[8], ids[0]] };
      const { errors, extensions } = await app.query(query, variables);
      expect(errors).toBeUndefined();
      // The tenth fills the batch.
      expect(batches()).toEqual([ids.slice(0, 10)]);
      expect(extensions.upstream).toMatchObject({
        requests: 1,
        credits: 1,
        stats: { cached: 0, stale: 0, shared: 0, fetched: 9 },
      });
    });

    it('leaves out what is on its way for other operations', async () => {
      await start();
      await ask({ first: 20 }, QUERY.replace('stats { views stale }', ''));
      const release = app.holdUpstream();
      const first = ask({ first: 7 });
      await app.seeRequests(2);
      const second = ask({ first: 12 });
      await app.seeRequests(3);
      release();
      const costs = [await first, await second].map(({ extensions }) => extensions.upstream);
      expect(costs).toMatchObject([
        { requests: 1, stats: { cached: 0, stale: 0, shared: 0, fetched: 7 } },
        { requests: 1, stats: { cached: 0, stale: 0, shared: 10, fetched: 2 } },
      ]);
      expect(batches().map(({ length }) => length)).toEqual([10, 10]);
      expect(new Set(batches().flat()).size).toBe(20);
    });

    it('is counted beforehand: 100 videos behind a cursor fit, two such windows do not', async () => {
      await start();
      const { data } = await ask({ first: 5 }, QUERY.replace('stats { views stale }', ''));
      const after = data?.trendingVideos.pageInfo.endCursor;
      const { extensions } = await ask({ first: 100, after });
      // Page 1 is cached: 5 more pages, and 10 batches.
      expect(extensions.upstream).toMatchObject({ requests: 15, credits: 20 });
      const two = `{ a: trendingVideos(first: 60) { nodes { stats { views } } }
                     b: trendingVideos(first: 60) { nodes { stats { views } } } }`;
      expect((await ask({}, two)).errors).toBeUndefined();
      const three = two.replace('}\n', '}\n c: trendingVideos(first: 1) { nodes { stats { views } } }');
      expect((await ask({}, three)).errors).toMatchObject([
        { message: expect.stringContaining('27 credits'), extensions: { code: 'OPERATION_TOO_EXPENSIVE' } },
      ]);
    });
  });

  describe('numbers', () => {
    it('are there wherever a video is', async () => {
      await start();
      const [video] = nodesOf(await ask({ first: 1 }));
      const stats = { views: video?.stats?.views };
      expect(stats.views).toBeGreaterThan(2 ** 31);
      const query = `query ($id: ID!, $itemId: ID!, $reference: _Any!) {
        edges: trendingVideos(first: 1) { edges { node { stats { views } } } }
        one: trendingVideo(itemId: $itemId) { stats { views } }
        list: trendingVideosByItemId(itemIds: [$itemId, "1"]) { stats { views } }
        node(id: $id) { ... on TrendingVideo { stats { views } } }
        nodes(ids: [$id]) { id ... on TrendingVideo { stats { views } } }
        _entities(representations: [$reference]) { ... on TrendingVideo { stats { views } } }
      }`;
      const byFragment =
        '{ trendingVideos(first: 1) { ...C } } fragment C on TrendingVideoConnection { nodes { ...V } } fragment V on TrendingVideo { stats { views } }';
      expect(await app.query(byFragment)).toMatchObject({ data: { trendingVideos: { nodes: [{ stats }] } } });
      const reference = { __typename: 'TrendingVideo', itemId: video?.itemId };
      const result = await app.query(query, { id: video?.id, itemId: video?.itemId, reference });
      expect(result).toMatchObject({
        data: {
          edges: { edges: [{ node: { stats } }] },
          one: { stats },
          list: [{ stats }, null],
          node: { stats },
          nodes: [{ id: video?.id, stats }],
          _entities: [{ stats }],
        },
        extensions: { upstream: { requests: 0, stats: { cached: 1 } } },
      });
    });

    it('are null, without an error, for a video that KeyAPI does not know, as long as numbers live', async () => {
      await start({}, { unknownVideos: 1 });
      const { data, errors, extensions } = await ask();
      expect(errors).toBeUndefined();
      expect(data?.trendingVideos.nodes.map(({ stats }) => stats)).toEqual(Array(20).fill(null));
      expect(extensions.upstream.stats).toEqual({ cached: 0, stale: 0, shared: 0, fetched: 20 });
      app.emulator.switches.unknownVideos = 0;
      clock.advance(TTL - 1);
      nodesOf(await ask());
      expect(batches()).toHaveLength(2);
      // Longer than the response above is cached, whose page is stale.
      clock.advance(1000);
      nodesOf(await ask());
      await seeRefreshes(2);
      expect(nodesOf(await ask()).every(({ stats }) => stats)).toBe(true);
    });

    it('are served stale while one refresh runs, which fills its batch', async () => {
      await start();
      await ask({ first: 7 });
      clock.advance(TTL);
      const stale = await ask({ first: 3 });
      expect(nodesOf(stale).map(({ stats }) => stats?.stale)).toEqual([true, true, true]);
      expect(stale.extensions.upstream).toMatchObject({
        requests: 0,
        stats: { cached: 0, stale: 3, shared: 0, fetched: 0 },
      });
      await ask({ first: 3 });
      await seeRefreshes(1);
      const [first = [], second = []] = batches();
      expect(batches()).toHaveLength(2);
      // First what has no numbers, then what has expired: there is room for 7 of the 10 others of the page.
      expect(second.slice(0, 3)).toEqual(first.slice(0, 3));
      expect(second.filter((itemId) => !first.includes(itemId))).toHaveLength(7);
      expect(nodesOf(await ask({ first: 3 })).map(({ stats }) => stats?.stale)).toEqual([
        false,
        false,
        false,
      ]);
    });

    it('that have expired take the room of a batch that is needed anyway', async () => {
      await start();
      await ask({ first: 10 });
      clock.advance(TTL);
      const { extensions } = await ask({ first: 14 });
      // 4 are missing, 6 of the 10 stale ones fill their batch, the others are refreshed in the background.
      expect(extensions.upstream.stats).toEqual({ cached: 0, stale: 4, shared: 0, fetched: 10 });
      await seeRefreshes(1);
      expect(batches().map(({ length }) => length)).toEqual([10, 10, 10]);
    });

    it('limit how long the whole response is fresh', async () => {
      await start({ STATS_TTL_SECONDS: '60' });
      const url = `/graphql?query=${encodeURIComponent('{ trendingVideos { nodes { stats { views stale } } } }')}`;
      const get = () => app.server.inject({ url, headers: { 'apollo-require-preflight': '1' } });
      const first = await get();
      app.claimedElsewhere += 3;
      expect(first.headers['cache-control']).toBe(
        'public, max-age=60, stale-while-revalidate=86400, stale-if-error=86400',
      );
      expect((await get()).json().extensions.upstream).toMatchObject({
        requests: 0,
        stats: { cached: 20, stale: 0, shared: 0, fetched: 0 },
      });
      clock.advance(60_000);
      const stale = await get();
      expect(stale.headers['cache-control']).toBe(
        'public, max-age=0, stale-while-revalidate=86400, stale-if-error=86400',
      );
      expect(stale.json().data.trendingVideos.nodes[0].stats.stale).toBe(true);
      await seeRefreshes(2);
      expect((await get()).json().data.trendingVideos.nodes[0].stats.stale).toBe(false);
    });

    it('that arrive while an operation waits for another chart are not taken for those that it has', async () => {
      await start({ RESPONSE_CACHE: 'false', CACHE_TTL_SECONDS: '1000000', STATS_TTL_SECONDS: '60' });
      // Worldwide hits are on the charts of both countries.
      const query = `{
        a: trendingVideos(first: 100) { nodes { stats { stale } } }
        b: trendingVideos(first: 100, region: "GB") { nodes { stats { stale } } }
      }`.replaceAll('first: 100', 'first: 40');
      await ask({ first: 40 });
      clock.advance(60_000);
      const release = app.holdUpstream();
      const first = app.query(query);
      // 4 batches of the background, 2 pages of the other chart.
      await app.seeRequests(6 + 6);
      release();
      expect((await first).errors).toBeUndefined();
      await settle();
      for (const _time of range(1, 3)) {
        const { data } = await app.query<Record<'a' | 'b', Data['trendingVideos']>>(query);
        const nodes = [...(data?.a.nodes ?? []), ...(data?.b.nodes ?? [])];
        expect(nodes).toHaveLength(80);
        expect(nodes.filter(({ stats }) => stats?.stale !== false)).toEqual([]);
      }
    });

    it('are wanted no longer than an operation may wait: the chart comes in time', async () => {
      await start({ OPERATION_TIMEOUT_MS: '10000' });
      await ask({ first: 20 }, QUERY.replace('stats { views stale }', ''));
      const release = app.holdUpstream();
      const late = ask();
      await app.seeRequests(3);
      clock.expireDeadlines(10_000);
      const { data, errors } = await late;
      expect(data?.trendingVideos.nodes.map(({ stats }) => stats)).toEqual(Array(20).fill(null));
      expect(errors).toMatchObject([
        {
          path: ['trendingVideos', 'nodes', 0, 'stats'],
          extensions: { code: 'UPSTREAM_TIMEOUT', videos: 20 },
        },
      ]);
      release();
      await until(() => events.filter(({ type }) => type === 'upstreamCall').length === 3);
      await settle();
      // They were paid for.
      expect((await ask()).extensions.upstream).toMatchObject({ requests: 0, stats: { cached: 20 } });
    });
  });

  describe('an error about numbers', () => {
    it('is one for each connection and list, at its first video without them', async () => {
      await start({}, { analyticsStatus: 500 });
      app.emulator.switches.analyticsStatus = undefined;
      const known = nodesOf(await ask({ first: 10 }));
      app.emulator.switches.analyticsStatus = 500;
      const query = `query ($ids: [ID!]!, $id: ID!) {
        a: trendingVideos(first: 12) {
          edges { node { numbers: stats { views } more: stats { likes } } }
          nodes { stats { views } }
        }
        b: trendingVideos(first: 10) { nodes { stats { views } } }
        c: trendingVideosByItemId(itemIds: $ids) { stats { views } }
        d: trendingVideo(itemId: $id) { itemId stats { views } }
      }`;
      const all = nodesOf(await ask({ first: 20 }, QUERY.replace('stats { views stale }', '')));
      const variables = { ids: [known[0]?.itemId, all[14]?.itemId, all[15]?.itemId], id: all[16]?.itemId };
      const { data, errors } = await app.query<Record<string, never>>(query, variables);
      const code = 'UPSTREAM_ERROR';
      expect(errors).toMatchObject([
        {
          path: ['a', 'edges', 10, 'node', 'numbers'],
          extensions: { code, videos: 2, upstream: { status: 500 } },
        },
        { path: ['c', 1, 'stats'], extensions: { code, videos: 2 } },
        { path: ['d', 'stats'], extensions: { code, videos: 1 } },
      ]);
      expect(errors).toHaveLength(3);
      expect(data).toMatchObject({
        a: {
          nodes: [
            ...Array(10).fill({ stats: { views: expect.any(Number) } }),
            { stats: null },
            { stats: null },
          ],
        },
        b: { nodes: Array(10).fill({ stats: { views: expect.any(Number) } }) },
        c: [{ stats: { views: expect.any(Number) } }, { stats: null }, { stats: null }],
        d: { itemId: all[16]?.itemId, stats: null },
      });
    });

    it('says where the field is in the document, however often that is sent', async () => {
      await start({}, { analyticsStatus: 500 });
      const query = '{ trendingVideos(first: 2) { nodes { stats { views } } } }';
      const error = {
        path: ['trendingVideos', 'nodes', 0, 'stats'],
        locations: [{ line: 1, column: query.indexOf('stats') + 1 }],
      };
      for (let time = 0; time < 5; time++) {
        expect(await app.query(query)).toMatchObject({ errors: [error] });
      }
    });

    it('leaves the numbers that are cached, in later operations too', async () => {
      await start();
      await ask({ first: 10 });
      app.emulator.switches.analyticsStatus = 403;
      for (const _time of range(1, 4)) {
        const { data, errors } = await ask({ first: 20 });
        expect(data?.trendingVideos.nodes.map(({ stats }) => stats !== null)).toEqual(
          range(1, 20).map((rank) => rank <= 10),
        );
        expect(errors).toMatchObject([
          {
            path: ['trendingVideos', 'nodes', 10, 'stats'],
            extensions: { code: 'UPSTREAM_FORBIDDEN', videos: 10 },
          },
        ]);
      }
      expect(batches()).toHaveLength(2);
    });
  });

  describe('a batch that KeyAPI refuses', () => {
    it('is split, so that only the video that it does not accept is unknown, for 10 minutes', async () => {
      await start();
      const ids = nodesOf(await ask({ first: 20 }, QUERY.replace('stats { views stale }', ''))).map(
        ({ itemId }) => itemId,
      );
      app.emulator.switches.refusedIds = [ids[3] ?? ''];
      const { data, errors, extensions } = await ask({ first: 10 });
      expect(errors).toBeUndefined();
      expect(data?.trendingVideos.nodes.map(({ stats }) => stats !== null)).toEqual(
        range(0, 9).map((index) => index !== 3),
      );
      // 10; 5 and 5; 3 and 2; 1 and 1.
      expect(batches().map(({ length }) => length)).toEqual([10, 5, 5, 3, 2, 1, 1]);
      expect(extensions.upstream).toMatchObject({ requests: 7, credits: 7 });
      expect(events.filter(({ type }) => type === 'retry')).toHaveLength(6);

      clock.advance(600_000 - 1);
      await ask({ first: 10 });
      expect(batches()).toHaveLength(7);
      clock.advance(1);
      nodesOf(await ask({ first: 10 }));
      await seeRefreshes(1);
      // Asked for alone: it does not spoil a batch again.
      expect(batches().slice(7)).toEqual([[ids[3]]]);
    });
  });
});
