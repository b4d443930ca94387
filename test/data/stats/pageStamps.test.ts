import { beforeEach, describe, expect, it } from '@jest/globals';
import { PageStamps } from '../../../src/data/stats/pageStamps.ts';
import { StatsStore } from '../../../src/data/stats/statsStore.ts';
import { makePage, makeVideos } from '../../support/charts.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';

const VIDEOS = makeVideos(1, 3);
const page = makePage([VIDEOS[0] ?? null, null, VIDEOS[1] ?? null, VIDEOS[2] ?? null], 1, 20);

let clock: TestClock;
let store: StatsStore;
let stamps: PageStamps;

beforeEach(() => {
  clock = createTestClock();
  store = new StatsStore({ clock, staleMs: 10_000, maxBytes: 2 ** 20 });
  stamps = new PageStamps(store);
});

const stampNow = () => stamps.of(page, clock.monotonic());

function add(itemId: string, ttlMs: number): void {
  store.add({ itemId, stats: null, freshUntil: clock.monotonic() + ttlMs, isRefused: false });
}

describe('PageStamps', () => {
  it('gives no stamp while numbers of a readable row are missing', () => {
    add('1', 1000);
    add('2', 1000);
    expect(stampNow()).toBeUndefined();
    add('3', 1000);
    expect(stampNow()).toBeDefined();
  });

  it('gives the same stamp until numbers are added, whichever they are', () => {
    for (const itemId of ['1', '2', '3']) add(itemId, 1000);
    const stamp = stampNow();
    expect(stampNow()).toBe(stamp);
    add('99', 1000);
    expect(stampNow()).not.toBe(stamp);
    expect(stampNow()).toEqual(stamp);
  });

  it('ends when the first numbers expire, and says when each do', () => {
    add('1', 1000);
    add('2', 500);
    add('3', 2000);
    const now = clock.monotonic();
    expect(stampNow()?.freshUntil).toEqual(
      new Map([
        ['1', now + 1000],
        ['2', now + 500],
        ['3', now + 2000],
      ]),
    );
    clock.advance(499);
    expect(stampNow()).toBeDefined();
    clock.advance(1);
    expect(stampNow()).toBeUndefined();
  });
});
