import { expect, it } from '@jest/globals';
import { PageStore } from '../../../src/data/pages/pageStore.ts';
import { storePage } from '../../../src/data/pages/storePage.ts';
import { type CachedPage, EMPTY_PAGE_MS, type Page } from '../../../src/domain/page.ts';
import { makePage, makeVideos } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';

const TTL_MS = 3_600_000;
const chart = makeVideos(1, 500);

/** A store, and what storing pages in it needs. */
function createStoring() {
  const clock = createTestClock();
  const store = new PageStore({ clock, staleMs: TTL_MS, maxBytes: 2 ** 24 });
  const add = (page: Page): CachedPage => storePage(page, { store, clock, random: () => 0, ttlMs: TTL_MS });
  return { clock, add };
}

const full = (number: number): Page => makePage(chart, number, 20);
const empty = (number: number, timesEmpty = 1): Page => ({ ...full(number), rows: [], timesEmpty });

it('puts pages that arrive while their generation is fresh into it', () => {
  const { clock, add } = createStoring();
  const { generation, freshUntil } = add(full(1));
  clock.advance(TTL_MS - 1);
  expect(add(full(2))).toMatchObject({ generation, freshUntil });
  clock.advance(1);
  expect(add(full(3)).generation).not.toBe(generation);
});

it('lets a page that lacks its rows expire earlier than its generation, and changes nothing for the others', () => {
  const { clock, add } = createStoring();
  const { generation, freshUntil } = add(full(1));
  expect(add(empty(3))).toMatchObject({ generation, freshUntil: clock.monotonic() + EMPTY_PAGE_MS });
  expect(add(full(2))).toMatchObject({ generation, freshUntil });
  clock.advance(TTL_MS - 1000);
  expect(add(empty(4))).toMatchObject({ generation, freshUntil });
});

it('rejects an empty page when rows have arrived since it was checked', () => {
  const { add } = createStoring();
  add(full(2));
  expect(() => add(empty(1))).toThrow(
    expect.objectContaining({ code: 'UPSTREAM_BAD_RESPONSE', isEmpty: true }),
  );
});

it('begins a generation with rows after an empty page', () => {
  const { clock, add } = createStoring();
  const first = add(empty(1));
  expect(add(full(1))).toMatchObject({
    generation: first.generation + 1,
    freshUntil: clock.monotonic() + TTL_MS,
  });
});

it.each([
  [1, EMPTY_PAGE_MS],
  [2, 2 * EMPTY_PAGE_MS],
  [6, 32 * EMPTY_PAGE_MS],
  [7, TTL_MS],
  [2000, TTL_MS],
])('caches a page that came without its rows %i times in a row for %i ms', (timesEmpty, ms) => {
  const { clock, add } = createStoring();
  expect(add(empty(1, timesEmpty)).freshUntil).toBe(clock.monotonic() + ms);
});
