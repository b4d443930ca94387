import { describe, expect, it } from '@jest/globals';
import type { PageCache } from '../../../src/data/pages/pageCache.ts';
import { createChartReader } from '../../../src/data/windows/chartReader.ts';
import type { ChartWindow } from '../../../src/data/windows/cutInSteps.ts';
import type { Cursor } from '../../../src/domain/cursor.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import { rankOffset } from '../../../src/domain/page.ts';
import type { WindowArguments } from '../../../src/domain/window/index.ts';
import { createOperation, createTestCache, settle } from '../../support/cache.ts';
import { makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';
import type { PageSource } from '../../support/sources.ts';

const ALL = { rows: true, facts: true };
const TTL_MS = 1000;
const STALE_MS = 5000;

type Direction = 'forwards' | 'backwards';

interface Chart {
  ids: number[];
  isDown: boolean;
}

function createChart(length: number) {
  const chart: Chart = { ids: makeVideos(1, length).map(({ itemId }) => Number(itemId)), isDown: false };
  const source: PageSource = async ({ number }, { onSent }) => {
    onSent();
    if (chart.isDown) throw new ApiError('UPSTREAM_ERROR');
    const rows = chart.ids.flatMap((id) => makeVideos(id, id));
    return makePage(rows, number, 20);
  };
  return { chart, source };
}

function toArguments(direction: Direction, size: number, cursor: Cursor | undefined): WindowArguments {
  return direction === 'forwards' ? { first: size, after: cursor } : { last: size, before: cursor };
}

/** The cursor from which a walk continues. */
function edgeOf({ videos, ranks }: ChartWindow, direction: Direction): Cursor {
  const edge = direction === 'forwards' ? videos.at(-1) : videos.at(0);
  if (edge) return { rank: edge.rank, itemId: edge.video.itemId };
  return { rank: direction === 'forwards' ? ranks.last : ranks.first, itemId: null };
}

function isOver({ ranks, facts }: ChartWindow, direction: Direction): boolean {
  if (ranks.last < ranks.first) return true;
  return direction === 'forwards' ? ranks.last >= (facts?.chartLength ?? 0) : ranks.first <= 1;
}

/** All ranks that a video has on these pages. */
function ranksOf(itemId: string | null, pages: readonly CachedPage[]): number[] {
  return pages.flatMap((page) =>
    page.rows.flatMap((row, index) => (row?.itemId === itemId ? [rankOffset(page) + index + 1] : [])),
  );
}

/** True when the window could have been cut from these pages. */
function containAll(pages: readonly CachedPage[], { videos }: ChartWindow): boolean {
  return videos.every(({ rank, video }) => ranksOf(video.itemId, pages).includes(rank));
}

/** The number of pages without a fresh copy that the window next to a rank needs. */
function pagesToFollow(rank: number, size: number, direction: Direction, cache: PageCache): number {
  const [first, last] =
    direction === 'forwards' ? [rank + 1, rank + size] : [Math.max(1, rank - size), rank - 1];
  const fresh = new Set(cache.known(US_VIEWS).fresh.map(({ number }) => number));
  const numbers = range(Math.ceil(first / 20), Math.ceil(last / 20));
  return numbers.filter((number) => !fresh.has(number)).length;
}

/** Walks, and what happens before each window is read: the chart moves, time passes, upstream may be down. */
const walks = fc.record({
  length: fc.integer({ min: 30, max: 150 }),
  size: fc.integer({ min: 1, max: 45 }),
  direction: fc.constantFrom<Direction>('forwards', 'backwards'),
  steps: fc.array(
    fc.record({
      rotateBy: fc.oneof(fc.constant(0), fc.integer({ min: -30, max: 30 })),
      passMs: fc.constantFrom(0, 300, TTL_MS, TTL_MS + STALE_MS),
      isSettled: fc.boolean(),
      isUpstreamDown: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  ),
});

describe('a walk through a chart', () => {
  it('shows no video twice in one window and skips none at the cursor, while the chart moves', async () => {
    let followed = 0;
    await fc.assert(
      fc.asyncProperty(walks, async ({ length, size, direction, steps }) => {
        const { chart, source } = createChart(length);
        const { cache, clock } = createTestCache(source, { ttlMs: TTL_MS, staleMs: STALE_MS });
        let cursor: Cursor | undefined;
        for (const { rotateBy, passMs, isSettled } of steps) {
          chart.ids = chart.ids.map((_, index) => chart.ids.at((index + rotateBy) % length) ?? 0);
          clock.advance(passMs);
          if (isSettled) await settle();
          const before = cache.views(US_VIEWS).preferred;
          const operation = createOperation();
          const reader = createChartReader({ cache, operation });
          const window = await reader.readWindow(US_VIEWS, toArguments(direction, size, cursor), ALL);

          const ids = window.videos.map(({ video }) => video.itemId);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids).not.toContain(cursor?.itemId);
          const allowed = Math.ceil(size / 20) + (cursor ? 1 : direction === 'backwards' ? 2 : 0);
          expect(operation.cost.requests).toBeLessThanOrEqual(allowed);

          if (cursor && window.ranks.first <= window.ranks.last) {
            const start = direction === 'forwards' ? window.ranks.first - 1 : window.ranks.last + 1;
            // A window that had to wait looks for its cursor's video on fresh pages; any other on the pages that it was
            // cut from, and elsewhere if none of them has the video.
            const isFromCache =
              operation.cost.requests === 0 && before.some((view) => containAll(view, window));
            const pageSets = isFromCache
              ? before.filter((view) => containAll(view, window))
              : [cache.known(US_VIEWS).fresh];
            const places = pageSets.map((view) => ranksOf(cursor?.itemId ?? null, view));
            const anywhere = ranksOf(cursor.itemId, before.flat());
            const isAtCursor = places.some((ranks) => ranks.includes(start));
            const isElsewhere =
              places.some((ranks) => ranks.length === 0) && [cursor.rank, ...anywhere].includes(start);
            // Following the video would have cost more pages than a window with a cursor may.
            const isTooFar =
              start === cursor.rank &&
              places.some((ranks) => ranks.every((rank) => pagesToFollow(rank, size, direction, cache) > 0));
            expect(isAtCursor || isElsewhere || (!isFromCache && isTooFar)).toBe(true);
            if (isAtCursor && start !== cursor.rank) followed++;
          }
          cursor = edgeOf(window, direction);
          if (isOver(window, direction)) cursor = undefined;
        }
        await settle();
      }),
      { numRuns: 400 },
    );
    expect(followed).toBeGreaterThan(20);
  });

  it('shows each video once and in order, while pages are refreshed or dropped and upstream may be down', async () => {
    await fc.assert(
      fc.asyncProperty(walks, async ({ length, size, direction, steps }) => {
        const { chart, source } = createChart(length);
        const { cache, clock } = createTestCache(source, { ttlMs: TTL_MS, staleMs: STALE_MS });
        const shown: string[] = [];
        let cursor: Cursor | undefined;
        for (let turn = 0; ; turn++) {
          const step = steps[turn % steps.length];
          clock.advance(step?.passMs ?? 0);
          if (step?.isSettled) await settle();
          chart.isDown = step?.isUpstreamDown ?? false;
          const read = async (): Promise<ChartWindow> =>
            createChartReader({ cache, operation: createOperation() }).readWindow(
              US_VIEWS,
              toArguments(direction, size, cursor),
              ALL,
            );
          const window = await read().catch((error: unknown) => {
            // No copy could be served: reading again succeeds.
            expect(error).toMatchObject({ code: 'UPSTREAM_ERROR' });
            chart.isDown = false;
            return read();
          });
          const ids = window.videos.map(({ video }) => video.itemId);
          if (direction === 'forwards') shown.push(...ids);
          else shown.unshift(...ids);
          if (isOver(window, direction)) break;
          cursor = edgeOf(window, direction);
        }
        expect(shown).toEqual(makeVideos(1, length).map(({ itemId }) => itemId));
        await settle();
      }),
      { numRuns: 200 },
    );
  });
});
