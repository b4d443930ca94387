import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import { encodeBody } from '../../../src/data/redis/pageValue.ts';
import { storeSharedPage } from '../../../src/data/redis/scripts/storeSharedPage.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { createOperation } from '../../support/cache.ts';
import { createArraySource, makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { codeOf, key, type PageSource } from '../../support/sources.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis, timeOf, watchCommands } from '../support/redis.ts';
import { expirePages, type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const PAGE_1 = 'test:page:US:7:VIEWS:1';
const PAGE_2 = 'test:page:US:7:VIEWS:2';
const PAGE_3 = 'test:page:US:7:VIEWS:3';
const LOCK_1 = 'test:lock:US:7:VIEWS:1';
const HOUR_MS = 3_600_000;
const FAILURE_1 = 'test:failure:US:7:VIEWS:1';

let redis: TestRedis;
let replicas: TestReplica[];
/** What upstream serves; tests may change it. */
let chart: { rows: ReturnType<typeof makeVideos>; pageSize: number };
let bill: number[];
/** How upstream responds. */
let source: PageSource;
/** When set, responses to the calls that are made now wait for it. */
let gate: Promise<void> | undefined;

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const replica = await startReplica({
    url: redis.url,
    source: (key, call) => source(key, call),
    ...options,
  });
  replicas.push(replica);
  return replica;
}

async function startTwo(options: Partial<ReplicaOptions> = {}): Promise<[TestReplica, TestReplica]> {
  return Promise.all([start(options), start(options)]);
}

/** Delays upstream's responses until the function that it returns is called. */
function hold(): () => void {
  let release = (): void => undefined;
  gate = new Promise((resolve) => {
    release = resolve;
  });
  return () => {
    gate = undefined;
    release();
  };
}

/** The item id of the first rank, as the replica has cached it. */
function topOf({ store }: TestReplica): string | undefined {
  return store.copies(US_VIEWS)[0]?.rows[0]?.itemId;
}

/** Waits until all of these keys are in Redis. */
function waitForKeys(...keys: string[]): Promise<void> {
  return poll(async () => (await redis.client.exists(...keys)) === keys.length);
}

/** Until when the failure of the first page is cached, by Redis's clock. */
async function failedUntil(): Promise<number> {
  return Number(await redis.client.hget(FAILURE_1, 'until'));
}

/** Checks that `until` is `ms` after a moment between `before` and now. */
async function expectAfter(ms: number, before: number, until: number): Promise<void> {
  expect(until).toBeGreaterThanOrEqual(Math.floor(before) + ms);
  expect(until).toBeLessThanOrEqual((await timeOf(redis)) + ms);
}

describeWithRedis('createSharedPages', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    chart = { rows: makeVideos(1, 500), pageSize: 20 };
    gate = undefined;
    const upstream = createArraySource(chart);
    bill = upstream.bill;
    source = async (key, call) => {
      const page = await upstream.source(key, call);
      await gate;
      return { ...page, fetchedAt: systemClock.now() };
    };
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('makes one upstream request for a page that all replicas miss at once', async () => {
    const callers: number[] = [];
    const startCaller = (index: number) =>
      start({
        source: (key, call) => {
          callers.push(index);
          return source(key, call);
        },
      });
    const fleet = await Promise.all(range(0, 3).map(startCaller));
    const release = hold();
    const reads = [...fleet, ...fleet].map((replica) => replica.read({ first: 60 }));
    // A replica that has waited more than three times has claimed all three pages: it waits for one of them again.
    const hasClaimedAll = ({ waits }: TestReplica, index: number): boolean =>
      waits() > 3 || callers.filter((caller) => caller === index).length === 3;
    await poll(() => fleet.every(hasClaimedAll));
    release();
    const windows = await Promise.all(reads);
    expect([...bill].sort()).toEqual([1, 2, 3]);
    for (const { ids, requests, pages } of windows) {
      expect(ids).toEqual(range(1, 60));
      expect(pages.fetched + pages.shared).toBe(3);
      expect(pages.fetched).toBe(requests);
    }
    expect(windows.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
  });

  it('does not count pages that others have cached against the pages that an operation may fetch', async () => {
    const [first, second] = await startTwo();
    await first.read({ first: 60 });
    const operation = { ...createOperation(), creditsLeft: 2 };
    for (const number of range(1, 3)) {
      const { origin } = await second.cache.fetch(key(number), 20, operation);
      expect(origin).toBe('cached');
    }
    expect(operation.creditsLeft).toBe(2);
  });

  it('gives a new replica all cached pages, with their generation and age', async () => {
    const first = await start();
    const before = await first.read({ first: 40 });
    const second = await start();
    const after = await second.read({ first: 40 });
    expect(after).toMatchObject({
      ids: before.ids,
      fetchedAt: before.fetchedAt,
      stale: false,
      requests: 0,
      pages: { cached: 2, fetched: 0 },
    });
    const copies = [first, second].map(({ store }) =>
      store.copies(US_VIEWS).map(({ number, generation, sequence }) => ({ number, generation, sequence })),
    );
    expect(copies[1]).toEqual(copies[0]);
    expect(bill).toEqual([1, 2]);
  });

  it('reads all pages that an operation misses with one MGET', async () => {
    const first = await start();
    await first.read({ first: 60 });
    // Otherwise it would read what the second one stores.
    await first.close();
    // The clock stands still: after a second a chart may be looked up again.
    const second = await start({ clock: createTestClock(Date.now()) });
    const { commands, stop } = await watchCommands(redis);
    await second.read({ first: 100 });
    await second.read({ first: 60 });
    await stop();
    expect(countReads(commands)).toEqual([25]);
    expect(bill).toEqual([1, 2, 3, 4, 5]);
  });

  it('reads a chart once for concurrent operations', async () => {
    const replica = await start({ clock: createTestClock(Date.now()) });
    const { commands, stop } = await watchCommands(redis);
    await Promise.all(range(1, 5).map(() => replica.read()));
    await stop();
    expect(countReads(commands)).toEqual([25]);
    expect(bill).toEqual([1]);
  });

  it('knows the length of a chart from pages that others fetched', async () => {
    chart.rows = makeVideos(1, 130);
    const [first, second] = await startTwo();
    await first.read({ first: 20, after: { rank: 40, itemId: null } });
    expect(await second.read({ last: 10 })).toMatchObject({ ids: range(121, 130), requests: 1 });
    expect(bill).toEqual([3, 7]);
  });

  it('finds the video of a cursor on pages that others fetched', async () => {
    const [first, second] = await startTwo();
    await first.read({ first: 20 });
    await expirePages(redis, [first]);
    // The chart moves down by three ranks.
    chart.rows = makeVideos(498, 500).concat(makeVideos(1, 497));
    await first.read({ first: 20 });
    await poll(() => topOf(first) === '498');
    expect(bill).toEqual([1, 1]);
    const window = await second.read({ first: 5, after: { rank: 10, itemId: '10' } });
    expect(window).toMatchObject({ ids: range(11, 15), requests: 0 });
  });

  it('puts the pages that several replicas fetch into one generation', async () => {
    const [first, second] = await startTwo();
    await first.read({ first: 20 });
    await second.read({ first: 20, after: { rank: 20, itemId: null } });
    const copies = second.store.copies(US_VIEWS);
    expect(copies.map(({ number }) => number).sort()).toEqual([1, 2]);
    expect(new Set(copies.map(({ generation }) => generation)).size).toBe(1);
    // They expire together: each value begins with its sequence, its generation and the end of its time to live.
    const heads = (await redis.client.mget(PAGE_1, PAGE_2)).map((value) => value?.split(' ').slice(1, 3));
    expect(heads[0]).toEqual([String(copies[0]?.generation), expect.stringMatching(/^\d+$/)]);
    expect(heads[1]).toEqual(heads[0]);
  });

  it('brings a refreshed page into the memory of the others', async () => {
    const [first, second] = await startTwo();
    await first.read();
    expect((await second.read()).ids).toEqual(range(1, 20));
    await expirePages(redis, replicas);
    chart.rows = makeVideos(101, 600);
    expect(await first.read()).toMatchObject({ ids: range(1, 20), stale: true });
    await poll(() => topOf(second) === '101');
    expect(bill).toEqual([1, 1]);
  });

  it('refreshes a stale page once, however many replicas serve it', async () => {
    const fleet = await Promise.all([start(), start(), start()]);
    await Promise.all(fleet.map((replica) => replica.read()));
    await expirePages(redis, fleet);
    const release = hold();
    const waits = fleet.map((replica) => replica.waits());
    const stale = await Promise.all(fleet.map((replica) => replica.read()));
    expect(stale.map(({ stale }) => stale)).toEqual([true, true, true]);
    // The two that do not refresh it wait for the one that does.
    await poll(() => fleet.filter((replica, index) => replica.waits() > (waits[index] ?? 0)).length === 2);
    release();
    await Promise.all(fleet.map(({ cache }) => cache.settle()));
    const fresh = await Promise.all(fleet.map((replica) => replica.read()));
    expect(fresh.map(({ stale, requests }) => [stale, requests])).toEqual(fleet.map(() => [false, 0]));
    expect(bill).toEqual([1, 1]);
  });

  it('serves a stale page of another replica for as long as stale pages may be served', async () => {
    const times = { ttlMs: 100, staleMs: 2500 };
    const first = await start(times);
    await first.read();
    await first.close();
    const freshUntil = Number((await redis.client.get(PAGE_1))?.split(' ')[2]);
    await poll(async () => (await timeOf(redis)) > freshUntil);
    source = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    const second = await start(times);
    expect(await second.read()).toMatchObject({ ids: range(1, 20), stale: true });
    await poll(async () => (await redis.client.exists(PAGE_1)) === 0);
    await poll(() => second.store.copies(US_VIEWS).length === 0);
    expect(await codeOf(second.read())).toBe('UPSTREAM_ERROR');
  });

  it('shares a failure with the replicas that wait for the page, and fetches it again only after a while', async () => {
    const errorTtlMs = 20_000;
    let calls = 0;
    source = async (_key, { onSent }) => {
      onSent();
      calls++;
      await gate;
      throw new ApiError('UPSTREAM_BAD_RESPONSE', {
        upstream: { status: 404, code: 404, requestId: 'r1' },
        detail: 'for the log alone',
      });
    };
    const [first, second, third] = await Promise.all([
      start({ errorTtlMs }),
      start({ errorTtlMs }),
      start({ errorTtlMs }),
    ]);
    const release = hold();
    const reads = Promise.allSettled(replicas.map((replica) => replica.read()));
    await poll(() => replicas.filter(({ waits }) => waits() > 0).length === 2);
    release();
    for (const outcome of await reads) {
      expect(outcome).toMatchObject({
        reason: { code: 'UPSTREAM_BAD_RESPONSE', upstream: { status: 404, code: 404, requestId: 'r1' } },
      });
    }
    expect(await codeOf(second.read())).toBe('UPSTREAM_BAD_RESPONSE');
    expect(calls).toBe(1);
    expect(JSON.stringify(await redis.client.hgetall(FAILURE_1))).not.toContain('log alone');

    // The second failure in a row is remembered for twice as long, on whichever replica it happens.
    await redis.client.hset(FAILURE_1, 'until', Math.floor(await timeOf(redis)) - 1);
    const before = await timeOf(redis);
    await codeOf(third.read());
    const after = await timeOf(redis);
    const until = Number(await redis.client.hget(FAILURE_1, 'until'));
    expect(until).toBeGreaterThanOrEqual(Math.floor(before) + 2 * errorTtlMs);
    expect(until).toBeLessThanOrEqual(after + 2 * errorTtlMs);
    await codeOf(first.read());
    expect(calls).toBe(2);
  });

  it('leaves the chart of all replicas when its source dries up, and asks for it once', async () => {
    const first = await start({ ttlMs: HOUR_MS, staleMs: HOUR_MS });
    await first.read({ first: 20 });
    await expirePages(redis, [first]);
    chart.rows = [];
    const before = await timeOf(redis);
    expect(await first.read()).toMatchObject({ ids: range(1, 20), chartLength: 500, stale: true });
    await waitForKeys(FAILURE_1);
    await expectAfter(60_000, before, await failedUntil());
    const second = await start({ ttlMs: HOUR_MS, staleMs: HOUR_MS });
    for (const replica of [first, second, first, second]) {
      expect(await replica.read()).toMatchObject({ ids: range(1, 20), chartLength: 500, stale: true });
      await replica.nextHeartbeat();
    }
    expect(bill).toEqual([1, 1]);
    expect(first.events.filter(({ type }) => type === 'emptyPage')).toHaveLength(1);

    // A page behind it, which no replica has.
    const outcomes = [first, second].map((replica) =>
      codeOf(replica.cache.fetch(key(2), 20, createOperation())),
    );
    expect(await Promise.all(outcomes)).toEqual(['UPSTREAM_BAD_RESPONSE', 'UPSTREAM_BAD_RESPONSE']);
    expect(bill).toEqual([1, 1, 2]);
  });

  it('waits longer with each empty page, however many replicas there are, up to the time to live', async () => {
    const fleet = await startTwo({ ttlMs: 120_000, staleMs: HOUR_MS });
    await fleet[0].read();
    await expirePages(redis, fleet);
    chart.rows = [];
    for (const [index, pauseMs] of [60_000, 120_000, 120_000].entries()) {
      const before = await timeOf(redis);
      for (const replica of fleet) await replica.read();
      await Promise.all(fleet.map(({ cache }) => cache.settle()));
      await expectAfter(pauseMs, before, await failedUntil());
      expect(bill).toHaveLength(index + 2);
      await redis.client.hset(FAILURE_1, 'until', 0);
    }
  });

  it('shares an empty page that nothing contradicts for a minute, then twice as long', async () => {
    const [first, second] = await startTwo({ ttlMs: HOUR_MS, staleMs: HOUR_MS });
    chart.rows = [];
    const freshUntil = async (): Promise<number> => Number((await redis.client.get(PAGE_1))?.split(' ')[2]);
    let before = await timeOf(redis);
    expect(await first.read()).toMatchObject({ ids: [], chartLength: 0, stale: false });
    expect(await second.read()).toMatchObject({ ids: [], chartLength: 0, requests: 0 });
    await expectAfter(60_000, before, await freshUntil());
    await expirePages(redis, [first, second]);
    // The other replica asks for it this time.
    before = await timeOf(redis);
    expect(await second.read()).toMatchObject({ ids: [], stale: true });
    await second.cache.settle();
    await expectAfter(120_000, before, await freshUntil());
    expect(bill).toEqual([1, 1]);
    // Rows begin a generation with the whole time to live.
    await expirePages(redis, [first, second]);
    chart.rows = makeVideos(1, 500);
    before = await timeOf(redis);
    await first.read();
    await first.cache.settle();
    await expectAfter(HOUR_MS, before, await freshUntil());
    await poll(async () => (await second.read()).ids.length > 0);
    expect(bill).toEqual([1, 1, 1]);
  });

  it('does not take over an empty page that a replica fetched without Redis, in place of rows that others have', async () => {
    const [first, second] = await startTwo();
    await first.read();
    await redis.kill();
    await poll(() => !first.redis.isUp() && !second.redis.isUp());
    const rows = chart.rows;
    chart.rows = [];
    expect((await second.read()).ids).toEqual([]);
    chart.rows = rows;
    await redis.start();
    // The first one has stored its rows again, which are older.
    await waitForKeys(PAGE_1);
    await poll(() => second.redis.isUp());
    expect((await second.read()).ids).toEqual(range(1, 20));
    expect((await (await start()).read()).ids).toEqual(range(1, 20));
    expect(bill).toEqual([1, 1]);
  });

  it('does not store an empty page that was fetched while Redis was down', async () => {
    const replica = await start();
    await redis.kill();
    await poll(() => !replica.redis.isUp());
    chart.rows = [];
    await replica.read();
    await redis.start();
    await poll(() => replica.redis.isUp());
    await replica.nextHeartbeat();
    expect(await redis.client.exists(PAGE_1)).toBe(0);
  });

  it('compares an empty page with what Redis has, before it is stored', async () => {
    const [first, second] = await startTwo();
    await first.read();
    await second.read();
    await expirePages(redis, [first]);
    // As when they were evicted a moment after the chart was looked up.
    second.store.delete(key(1));
    chart.rows = [];
    expect(await codeOf(second.cache.fetch(key(1), 20, createOperation()))).toBe('ok');
    expect(second.events.filter(({ type }) => type === 'emptyPage')).toHaveLength(1);
    expect(await redis.client.hget(FAILURE_1, 'count')).toBe('1');
    expect((await (await start()).read()).ids).toEqual(range(1, 20));
  });

  it('lets rows replace an empty page in Redis, even older ones, and never the other way round', async () => {
    const { redis: connection } = await start();
    const now = await timeOf(redis);
    const store = (rows: typeof chart.rows, ageMs: number) => {
      const page = { ...makePage(chart.rows, 1, 20), chart: US_VIEWS, rows, fetchedAt: Date.now() };
      const copy = { page, body: encodeBody(page), sequence: Math.round((now - ageMs) * 1000) };
      const options = { staleMs: 60_000, ttlMs: 60_000, replica: 'another' };
      return storeSharedPage(connection.run, { ...copy, freshUntil: now + 60_000 }, options);
    };
    const rows = chart.rows.slice(0, 20);
    expect(await store([], 100)).toMatchObject({ type: 'stored' });
    expect(await store([], 200)).toMatchObject({ type: 'newer' });
    expect(await store(rows, 300)).toMatchObject({ type: 'stored' });
    expect(await store([], 50)).toMatchObject({ type: 'contradicted' });
    expect((await (await start()).read()).ids).toEqual(range(1, 20));
    expect(bill).toEqual([]);
  });

  it('remembers that an empty page was contradicted while it was stored', async () => {
    const replica = await start();
    chart.rows = [];
    // Rows of another page arrive after it was compared twice.
    const checks = [false, false];
    replica.store.contradicts = () => checks.shift() ?? true;
    expect(await codeOf(replica.cache.fetch(key(1), 20, createOperation()))).toBe('UPSTREAM_BAD_RESPONSE');
    expect(replica.events.filter(({ type }) => type === 'emptyPage')).toHaveLength(1);
    expect(await redis.client.hget(FAILURE_1, 'count')).toBe('1');
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('releases the lock of an empty page that nothing contradicts', async () => {
    const replica = await start();
    chart.rows = [];
    await replica.read();
    expect(await redis.client.exists(PAGE_1, LOCK_1)).toBe(1);
  });

  it('does not import an expired empty page again and again', async () => {
    const replica = await start();
    await replica.read();
    const upstream = source;
    source = async (pageKey, call) => ({ ...(await upstream(pageKey, call)), rows: [] });
    await replica.cache.fetch(key(3), 20, createOperation());
    await expirePages(redis, [replica]);
    const lookedUpAt = systemClock.monotonic();
    await replica.cache.lookUpShared(US_VIEWS);
    await poll(() => systemClock.monotonic() > lookedUpAt + 1100);
    const { changes } = replica.store;
    expect(await replica.cache.lookUpShared(US_VIEWS)).toBe(false);
    expect(replica.store.changes).toBe(changes);
  });

  it('lets an empty page expire before its generation, and begin none', async () => {
    const replica = await start({ ttlMs: HOUR_MS });
    const GENERATION = 'test:generation:US:7:VIEWS';
    const header = async (name: string): Promise<number[]> =>
      ((await redis.client.get(name)) ?? '').split(' ').slice(1, 3).map(Number);
    await replica.read();
    const [generation, freshUntil = 0] = await header(PAGE_1);
    const upstream = source;
    source = async (pageKey, call) => ({ ...(await upstream(pageKey, call)), rows: [] });
    const before = await timeOf(redis);
    await replica.cache.fetch(key(3), 20, createOperation());
    const [emptyGeneration, emptyUntil = 0] = await header(PAGE_3);
    expect(emptyGeneration).toBe(generation);
    await expectAfter(60_000, before, emptyUntil);
    expect(await redis.client.hgetall(GENERATION)).toMatchObject({ freshUntil: String(freshUntil) });
    // At the end of the generation, it expires with it.
    await redis.client.hset(GENERATION, 'freshUntil', Math.floor(before) + 30_000);
    await replica.cache.fetch(key(2), 20, createOperation());
    expect((await header(PAGE_2))[1]).toBe(Math.floor(before) + 30_000);
    await redis.client.del(GENERATION);
    await replica.cache.fetch(key(4), 20, createOperation());
    expect(await redis.client.exists(GENERATION)).toBe(0);
  });

  it('begins with a minute when a page is empty after it has failed in another way', async () => {
    const replica = await start({ errorTtlMs: 1000, ttlMs: HOUR_MS });
    await replica.read();
    await expirePages(redis, [replica]);
    const upstream = source;
    source = async (_key, { onSent }) => {
      onSent();
      throw new ApiError('UPSTREAM_ERROR');
    };
    for (const count of ['1', '2']) {
      await replica.cache.fetch(key(1), 20, createOperation());
      expect(await redis.client.hget(FAILURE_1, 'count')).toBe(count);
      await redis.client.hset(FAILURE_1, 'until', 0);
    }
    source = upstream;
    chart.rows = [];
    const before = await timeOf(redis);
    await replica.cache.fetch(key(1), 20, createOperation());
    await expectAfter(60_000, before, await failedUntil());
  });

  it('caches a failure for as long as the time to live of a page, and no longer', async () => {
    const replica = await start({ ttlMs: HOUR_MS });
    const error = JSON.stringify({ code: 'UPSTREAM_BAD_RESPONSE', message: 'no' });
    for (const [ms, code] of [
      [HOUR_MS - 60_000, 'UPSTREAM_BAD_RESPONSE'],
      [HOUR_MS + 600_000, 'ok'],
    ] as const) {
      const until = Math.floor(await timeOf(redis)) + ms;
      await redis.client.hset(FAILURE_1, 'until', until, 'error', error);
      expect(await codeOf(replica.read())).toBe(code);
    }
  });

  it.each([1, 3])('does not import an empty page %i in place of rows', async (number) => {
    const [first, second] = await startTwo();
    await first.read({ first: 60 });
    const times = { timesEmpty: 1, fetchedAt: Date.now() };
    const empty = { ...makePage(chart.rows, number, 20), ...times, chart: US_VIEWS, rows: [] };
    const now = await timeOf(redis);
    await storeSharedPage(
      second.redis.run,
      { page: empty, body: encodeBody(empty), sequence: Math.round(now * 1000), freshUntil: now + 60_000 },
      { staleMs: 60_000, ttlMs: 60_000, replica: second.redis.replica },
    );
    await first.nextHeartbeat();
    expect(await first.read({ first: 60 })).toMatchObject({ ids: range(1, 60), chartLength: 500 });
  });

  it('remembers the failure of a call that got no connection', async () => {
    const unconnected: PageSource = async () => {
      bill.push(0);
      throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true });
    };
    const fleet = await startTwo({ source: unconnected, errorTtlMs: 60_000 });
    for (const replica of [...fleet, ...fleet])
      expect(await codeOf(replica.read())).toBe('UPSTREAM_UNAVAILABLE');
    expect(bill).toEqual([0]);
  });

  it('lets another replica fetch the page at once when the call was not sent', async () => {
    const [first, second] = await startTwo();
    const workingSource = source;
    source = async () => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    expect(await codeOf(first.read())).toBe('UPSTREAM_UNAVAILABLE');
    source = workingSource;
    expect(await second.read()).toMatchObject({ requests: 1 });
  });

  it('does not ask Redis on each read of a stale page while no call may be made', async () => {
    const clock = createTestClock(Date.now());
    const replica = await start({ clock });
    await replica.read();
    await expirePages(redis, replicas);
    let attempts = 0;
    source = async () => {
      attempts++;
      throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    for (const tenth of range(1, 3)) {
      for (let time = 0; time < 10; time++) {
        expect(await replica.read()).toMatchObject({ stale: true });
        await replica.cache.settle();
      }
      expect(attempts).toBe(tenth);
      clock.advance(100);
    }
  });

  it('waits for the lock of a crashed replica no longer than one attempt may take', async () => {
    const replica = await start({ attemptMs: 2900 });
    await redis.client.set(LOCK_1, 'of a replica that is gone', 'PX', 2900);
    const reading = replica.read();
    await poll(() => replica.waits() > 1);
    expect(bill).toEqual([]);
    expect(await redis.client.get(LOCK_1)).toBe('of a replica that is gone');
    // The time of the attempt is over.
    await redis.client.pexpire(LOCK_1, 1);
    expect(await reading).toMatchObject({ ids: range(1, 20), requests: 1 });
  });

  it('releases its lock once Redis is up again, if Redis was down before', async () => {
    const [first, second] = await startTwo();
    const [, password = ''] = (await redis.client.config('GET', 'requirepass')) as string[];
    source = async (_key, { onSent }) => {
      onSent();
      // The lock must not expire by itself.
      await redis.client.pexpire(LOCK_1, 60_000);
      await redis.client.config('SET', 'requirepass', 'nobody knows');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      throw new ApiError('UPSTREAM_UNAUTHENTICATED');
    };
    await codeOf(first.read());
    expect(await redis.client.exists(LOCK_1)).toBe(1);
    await redis.client.config('SET', 'requirepass', password);
    await poll(() => first.redis.isUp() && second.redis.isUp());
    await poll(async () => (await redis.client.exists(LOCK_1)) === 0);
  });

  it('renews its lock while it waits for a slow response', async () => {
    const attemptMs = 2900;
    const [first, second] = await startTwo({ attemptMs });
    const release = hold();
    const slow = first.read();
    await poll(() => bill.length === 1);
    const waiting = second.read();
    expect(await redis.client.pttl(LOCK_1)).toBeLessThanOrEqual(attemptMs);
    for (let time = 0; time < 2; time++) {
      // Most of its time is over; then its holder renews it.
      await redis.client.pexpire(LOCK_1, 2000);
      await poll(async () => (await redis.client.pttl(LOCK_1)) > 2000);
    }
    await poll(() => second.waits() > 0);
    release();
    expect(await waiting).toMatchObject({ ids: range(1, 20), requests: 0, pages: { shared: 1 } });
    expect((await slow).requests).toBe(1);
    expect(bill).toEqual([1]);
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('makes at most one more request when a lock is lost, and serves no wrong page', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const reads = [first.read()];
    await poll(() => bill.length === 1);
    await redis.client.del(LOCK_1);
    reads.push(second.read());
    await poll(() => bill.length === 2);
    release();
    const windows = await Promise.all(reads);
    expect(windows.map(({ ids }) => ids)).toEqual([range(1, 20), range(1, 20)]);
    expect(bill).toEqual([1, 1]);
    expect(await second.read()).toMatchObject({ ids: range(1, 20), requests: 0 });
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('serves the page that another replica fetched when its own lock was lost and its call failed', async () => {
    const [first, second] = await startTwo();
    const workingSource = source;
    const release = hold();
    let isRequested = false;
    source = async (_key, { onSent }) => {
      onSent();
      isRequested = true;
      await gate;
      throw new ApiError('UPSTREAM_TIMEOUT');
    };
    const reading = first.read();
    await poll(() => isRequested);
    await redis.client.del(LOCK_1);
    source = workingSource;
    gate = undefined;
    await second.read();
    release();
    expect(await reading).toMatchObject({ ids: range(1, 20), requests: 1 });
    expect(await redis.client.exists(FAILURE_1)).toBe(0);
  });

  it('does not release a lock that another replica has acquired', async () => {
    const replica = await start();
    const release = hold();
    const reading = replica.read();
    await poll(() => bill.length === 1);
    await redis.client.set(LOCK_1, 'of another', 'PX', 60_000);
    release();
    await reading;
    expect(await redis.client.get(LOCK_1)).toBe('of another');
  });

  it('makes no call when its lock was lost while the call waited for its turn', async () => {
    const workingSource = source;
    const release = hold();
    let isWaiting = false;
    source = async (_key, { signal }) => {
      isWaiting = true;
      await gate;
      // The next renewal finds that the lock is lost.
      for (;;) {
        signal?.throwIfAborted();
        await systemClock.sleep(10);
      }
    };
    const first = await start({ attemptMs: 600 });
    const waiting = first.read();
    await poll(() => isWaiting);
    await redis.client.set(LOCK_1, 'of another', 'PX', 60_000);
    source = workingSource;
    gate = undefined;
    // The other one stores the page and releases its lock.
    await redis.client.del(LOCK_1);
    const other = await start();
    await other.read();
    release();
    expect(await waiting).toMatchObject({ ids: range(1, 20), requests: 0 });
    expect(bill).toEqual([1]);
  });

  it('drops its copy when another replica learns that upstream refuses the page', async () => {
    const [first, second] = await startTwo();
    await first.read();
    await second.read();
    await expirePages(redis, replicas);
    let calls = 0;
    source = async (_key, { onSent }) => {
      onSent();
      calls++;
      throw new ApiError('BAD_USER_INPUT', { message: 'no such page' });
    };
    expect(await first.read()).toMatchObject({ stale: true });
    await first.cache.settle();
    // The stale copy is served once more; its refresh finds that the page is refused.
    expect(await second.read()).toMatchObject({ stale: true });
    await second.cache.settle();
    // The copy does not come back with a heartbeat, although Redis had one.
    expect(await codeOf(second.read())).toBe('BAD_USER_INPUT');
    await second.nextHeartbeat();
    for (let time = 0; time < 2; time++) expect(await codeOf(second.read())).toBe('BAD_USER_INPUT');
    expect(await redis.client.exists(PAGE_1)).toBe(0);
    expect(calls).toBe(1);
  });

  it('ignores a failure that never expires, or that cannot be read', async () => {
    const replica = await start();
    const failure = 'test:failure:US:7:VIEWS:';
    await redis.client.hset(`${failure}1`, 'until', '9999999999999999', 'error', '{}');
    await redis.client.hset(`${failure}2`, 'until', Date.now() + 30_000, 'error', 'garbage');
    expect(await replica.read({ first: 40 })).toMatchObject({ ids: range(1, 40), requests: 2 });
  });

  it('does not take the lock of a replica whose attempts may take longer', async () => {
    const first = await start({ attemptMs: 5000 });
    const second = await start({ attemptMs: 1000 });
    const release = hold();
    const reading = first.read();
    await poll(() => bill.length === 1);
    const waiting = second.read();
    await poll(() => second.waits() > 1);
    release();
    expect(await waiting).toMatchObject({ requests: 0 });
    await reading;
    expect(bill).toEqual([1]);
  });

  it('does not replace a page with a delayed response to an earlier request', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const reading = first.read();
    await poll(() => bill.length === 1);
    const requestedAt = first.redis.now();
    await redis.client.del(LOCK_1);
    gate = undefined;
    chart.rows = makeVideos(101, 600);
    // The replicas know Redis's clock only roughly.
    await poll(() => second.redis.now() > requestedAt);
    await second.read();
    release();
    await reading;
    await Promise.all([first.nextHeartbeat(), second.nextHeartbeat()]);
    const windows = await Promise.all([first, second, await start()].map((replica) => replica.read()));
    expect(windows.map(({ ids }) => ids[0])).toEqual([101, 101, 101]);
    expect(bill).toEqual([1, 1]);
  });

  it('serves a page to a replica that waited for it, although the page has expired meanwhile', async () => {
    let wake = (): void => undefined;
    let isAwake: Promise<void> | undefined;
    const first = await start();
    const second = await start({
      clock: { ...systemClock, sleep: async (ms) => isAwake ?? systemClock.sleep(ms) },
    });
    for (const replica of replicas) await replica.read();
    const next = { first: 20, after: { rank: 20, itemId: null } };
    const release = hold();
    const reading = first.read(next);
    await poll(() => bill.length === 2);
    isAwake = new Promise((resolve) => {
      wake = resolve;
    });
    const waiting = second.read(next);
    await poll(() => second.waits() > 0);
    release();
    await reading;
    await expirePages(redis, replicas);
    isAwake = undefined;
    wake();
    expect(await waiting).toMatchObject({ ids: range(21, 40), requests: 0 });
    expect(bill.filter((number) => number === 2)).toEqual([2]);
  });

  it('refreshes a page for its covers once in a generation, whatever happens to Redis', async () => {
    const replica = await start();
    const readWithCovers = async () => {
      const cover = { cover: 'https://a.test/1', coverExpiresAt: Date.now() + 100 };
      chart.rows = makeVideos(1, 500).map((video) => ({ ...video, ...cover }));
      await replica.read();
      await replica.cache.settle();
      const coversUntil = replica.store.copies(US_VIEWS)[0]?.coversUntil ?? 0;
      await poll(() => systemClock.monotonic() >= coversUntil && Date.now() >= cover.coverExpiresAt);
    };
    for (let time = 0; time < 4; time++) {
      await readWithCovers();
      // As if it were evicted.
      await redis.client.del(PAGE_1);
    }
    expect(bill).toEqual([1, 1]);
    await redis.kill();
    await redis.start();
    await poll(() => replica.events.some(({ type }) => type === 'redisDown') && replica.redis.isUp());
    await waitForKeys(PAGE_1);
    const other = await start();
    await other.read();
    await other.read();
    await other.cache.settle();
    expect(bill).toEqual([1, 1]);
  });

  it('restores the pages that Redis has lost, so that none is fetched again', async () => {
    const first = await start();
    await first.read({ first: 40 });
    await redis.kill();
    await poll(() => !first.redis.isUp());
    expect(await first.read({ first: 40 })).toMatchObject({ requests: 0 });
    await first.read({ first: 20, after: { rank: 40, itemId: null } });
    await redis.start();
    await waitForKeys(PAGE_1, PAGE_2, PAGE_3);
    const second = await start();
    expect(await second.read({ first: 60 })).toMatchObject({ ids: range(1, 60), requests: 0 });
    expect(bill).toEqual([1, 2, 3]);
  });

  it('restores the pages of a Redis that was restarted between two heartbeats, or emptied', async () => {
    const first = await start();
    await first.read({ first: 40 });
    await redis.kill();
    await redis.start();
    await waitForKeys(PAGE_1, PAGE_2);
    expect(await (await start()).read({ first: 40 })).toMatchObject({ requests: 0 });
    await redis.client.flushall();
    await waitForKeys(PAGE_1, PAGE_2);
    expect(await (await start()).read({ first: 40 })).toMatchObject({ requests: 0 });
    expect(bill).toEqual([1, 2]);
  });

  it('stores a page in Redis that was requested while Redis was down', async () => {
    const first = await start();
    await redis.kill();
    await poll(() => !first.redis.isUp());
    const release = hold();
    const reading = first.read();
    await poll(() => bill.length === 1);
    await redis.start();
    await poll(() => first.redis.isUp());
    release();
    await reading;
    expect(await (await start()).read()).toMatchObject({ requests: 0 });
    expect(bill).toEqual([1]);
  });

  it('imports pages that others fetched while Redis was down', async () => {
    const [first, second] = await startTwo();
    await first.read();
    await second.read();
    await expirePages(redis, replicas);
    await redis.kill();
    await poll(() => !first.redis.isUp() && !second.redis.isUp());
    // Without Redis, the first one refreshes for itself.
    chart.rows = makeVideos(101, 600);
    await first.read();
    await first.cache.settle();
    await redis.start();
    await poll(() => first.redis.isUp() && second.redis.isUp());
    await poll(() => topOf(second) === '101');
    expect(bill).toEqual([1, 1]);
  });

  it('gives every key an expiry and its prefix', async () => {
    const replica = await start({ creditsPerDay: 100 });
    // Otherwise spending would have to wait.
    await redis.client.hset('test:budget', 'openAt', 0);
    await replica.read();
    source = async (_key, { onSent }) => {
      onSent();
      throw new ApiError('UPSTREAM_UNAUTHENTICATED');
    };
    await codeOf(replica.read({ first: 20, after: { rank: 20, itemId: null } }));
    source = async (_key, { onSent }) => {
      onSent();
      throw new ApiError('UPSTREAM_BAD_RESPONSE');
    };
    const keys = await redis.client.keys('*');
    expect(keys.map((key) => key.split(':')[1]).sort()).toEqual(
      expect.arrayContaining(['budget', 'calls', 'changes', 'circuit', 'generation', 'page', 'replicas']),
    );
    for (const key of keys) {
      expect(key).toMatch(/^test:/);
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    }
  });
});

/** How many keys each MGET reads. */
function countReads(commands: readonly string[][]): number[] {
  return commands.flatMap(([name, ...keys]) => (name === 'mget' ? [keys.length] : []));
}
