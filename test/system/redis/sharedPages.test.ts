import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/domain/clock.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import { createOperation } from '../../support/cache.ts';
import { createArraySource, makePage, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { codeOf, key } from '../../support/sources.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const PAGE_1 = 'test:page:US:7:VIEWS:1';
const LOCK_1 = 'test:lock:US:7:VIEWS:1';

let redis: TestRedis;
let replicas: TestReplica[];
/** What upstream serves; may change. */
let chart: { rows: ReturnType<typeof makeVideos>; pageSize: number };
let bill: number[];
/** How upstream answers. */
let source: PageSource;
let latencyMs: number;

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const replica = await startReplica({
    url: redis.url,
    source: (key, fetchOptions) => source(key, fetchOptions),
    ...options,
  });
  replicas.push(replica);
  return replica;
}

function startMany(count: number, options: Partial<ReplicaOptions> = {}): Promise<TestReplica[]> {
  return Promise.all(range(1, count).map(() => start(options)));
}

/** Every MGET that Redis is sent until `stop`, as its number of keys. */
async function watchReads() {
  const monitor = await redis.client.duplicate({ lazyConnect: false, retryStrategy: null }).monitor();
  const reads: number[] = [];
  monitor.on('monitor', (_time, args: string[]) => {
    if (args[0]?.toLowerCase() === 'mget') reads.push(args.length - 1);
  });
  return {
    reads,
    stop: async () => {
      await sleep(20);
      monitor.disconnect();
    },
  };
}

/** Waits until `isTrue`, for a second at most. */
async function within(ms: number, isTrue: () => boolean): Promise<void> {
  const until = performance.now() + ms;
  while (!isTrue() && performance.now() < until) await sleep(10);
  expect(isTrue()).toBe(true);
}

describeWithRedis('createSharedPages', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    chart = { rows: makeVideos(1, 500), pageSize: 20 };
    latencyMs = 0;
    const made = createArraySource(chart);
    bill = made.bill;
    source = async (key, fetchOptions) => {
      const page = await made.source(key, fetchOptions);
      await sleep(latencyMs);
      return { ...page, fetchedAt: systemClock.now() };
    };
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('makes one upstream request for a page that all replicas miss at once', async () => {
    latencyMs = 200;
    const fleet = await startMany(4);
    const windows = await Promise.all([...fleet, ...fleet].map((replica) => replica.read({ first: 60 })));
    expect([...bill].sort()).toEqual([1, 2, 3]);
    for (const { ids, requests, pages } of windows) {
      expect(ids).toEqual(range(1, 60));
      expect(pages.fetched + pages.shared).toBe(3);
      expect(pages.fetched).toBe(requests);
    }
    expect(windows.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
  });

  it('does not count what others hold against the pages that an operation may buy', async () => {
    const [first, second] = await startMany(2);
    await first?.read({ first: 60 });
    const operation = { ...createOperation(), pagesLeft: 1 };
    for (const number of range(1, 3)) {
      const { origin } = (await second?.cache.fetch(key(number), operation)) ?? {};
      expect(origin).toBe('cached');
    }
    expect(operation.pagesLeft).toBe(1);
  });

  it('gives a replica that comes later all that is held, with its generation and age', async () => {
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
    const lives = [first, second].map(({ store }) =>
      store.copies(US_VIEWS).map(({ number, generation, order }) => ({ number, generation, order })),
    );
    expect(lives[1]).toEqual(lives[0]);
    expect(bill).toEqual([1, 2]);
  });

  it('reads what an operation misses by one MGET', async () => {
    await (await start()).read({ first: 60 });
    const second = await start();
    const { reads, stop } = await watchReads();
    await second.read({ first: 100 });
    await second.read({ first: 60 });
    await stop();
    expect(reads).toEqual([25]);
    expect(bill).toEqual([1, 2, 3, 4, 5]);
  });

  it('reads a chart once for operations that come together', async () => {
    const replica = await start();
    const { reads, stop } = await watchReads();
    await Promise.all(range(1, 5).map(() => replica.read()));
    await stop();
    expect(reads).toEqual([25]);
    expect(bill).toEqual([1]);
  });

  it('knows where a chart ends from pages that others fetched', async () => {
    chart.rows = makeVideos(1, 130);
    const [first, second] = await startMany(2);
    await first?.read({ first: 20, after: { rank: 40, itemId: null } });
    expect(await second?.read({ last: 10 })).toMatchObject({ ids: range(121, 130), requests: 1 });
    expect(bill).toEqual([3, 7]);
  });

  it('finds the video of a cursor on pages that others fetched, as if they were held here', async () => {
    const [first, second] = await startMany(2, { ttlMs: 300 });
    await first?.read({ first: 20 });
    await sleep(320);
    // The chart moves down by three ranks.
    chart.rows = makeVideos(498, 500).concat(makeVideos(1, 497));
    await first?.read({ first: 20 });
    await within(1000, () => bill.length === 2);
    await sleep(50);
    const window = await second?.read({ first: 5, after: { rank: 10, itemId: '10' } });
    expect(window).toMatchObject({ ids: range(11, 15), requests: 0 });
  });

  it('lets the pages that several replicas fetch belong to one generation', async () => {
    const [first, second] = await startMany(2);
    await first?.read({ first: 20 });
    await second?.read({ first: 20, after: { rank: 20, itemId: null } });
    const copies = second?.store.copies(US_VIEWS) ?? [];
    expect(copies.map(({ number }) => number).sort()).toEqual([1, 2]);
    expect(new Set(copies.map(({ generation }) => generation)).size).toBe(1);
    expect(new Set(copies.map(({ freshUntil }) => Math.round(freshUntil / 50))).size).toBe(1);
  });

  it('takes a refresh to the memory of the others within a second', async () => {
    const [first, second] = await startMany(2, { ttlMs: 300 });
    await first?.read();
    expect((await second?.read())?.ids).toEqual(range(1, 20));
    await sleep(310);
    chart.rows = makeVideos(101, 600);
    expect(await first?.read()).toMatchObject({ ids: range(1, 20), stale: true });
    await within(1000, () => second?.store.copies(US_VIEWS)[0]?.rows[0]?.itemId === '101');
    expect(bill).toEqual([1, 1]);
  });

  it('refreshes a stale page once, however many replicas serve it meanwhile', async () => {
    const fleet = await startMany(3, { ttlMs: 300 });
    await Promise.all(fleet.map((replica) => replica.read()));
    await sleep(310);
    latencyMs = 100;
    const stale = await Promise.all(fleet.map((replica) => replica.read()));
    expect(stale.map(({ stale }) => stale)).toEqual([true, true, true]);
    await sleep(200);
    const fresh = await Promise.all(fleet.map((replica) => replica.read()));
    expect(fresh.map(({ stale, requests }) => [stale, requests])).toEqual(fleet.map(() => [false, 0]));
    expect(bill).toEqual([1, 1]);
  });

  it('serves a page that another replica left stale, for as long as it may be', async () => {
    const first = await start({ ttlMs: 200, staleMs: 700 });
    await first.read();
    await first.close();
    await sleep(250);
    source = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    const second = await start({ ttlMs: 200, staleMs: 700 });
    expect(await second.read()).toMatchObject({ ids: range(1, 20), stale: true });
    await sleep(700);
    expect(await redis.client.exists(PAGE_1)).toBe(0);
    expect(await codeOf(second.read())).toBe('UPSTREAM_ERROR');
  });

  it('shares a failure with those who waited for it, and does not ask again for a while', async () => {
    let calls = 0;
    source = async (_key, { onRequest }) => {
      onRequest();
      calls++;
      await sleep(100);
      throw new ApiError('UPSTREAM_BAD_RESPONSE', {
        upstream: { status: 404, code: 404, requestId: 'r1' },
        detail: 'for the log alone',
      });
    };
    const fleet = await startMany(3, { errorTtlMs: 400 });
    const outcomes = await Promise.allSettled(fleet.map((replica) => replica.read()));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({
        reason: { code: 'UPSTREAM_BAD_RESPONSE', upstream: { status: 404, code: 404, requestId: 'r1' } },
      });
    }
    expect(await codeOf(fleet[1]?.read() ?? Promise.resolve())).toBe('UPSTREAM_BAD_RESPONSE');
    expect(calls).toBe(1);
    expect(JSON.stringify(await redis.client.hgetall('test:failure:US:7:VIEWS:1'))).not.toContain(
      'log alone',
    );

    // The second failure in a row is remembered for twice as long, whoever it happens to.
    await sleep(420);
    await codeOf(fleet[2]?.read() ?? Promise.resolve());
    await sleep(500);
    await codeOf(fleet[0]?.read() ?? Promise.resolve());
    expect(calls).toBe(2);
  });

  it('lets the next one try at once when the call was never made', async () => {
    const [first, second] = await startMany(2);
    const answer = source;
    source = async () => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    expect(await codeOf(first?.read() ?? Promise.resolve())).toBe('UPSTREAM_UNAVAILABLE');
    source = answer;
    expect(await second?.read()).toMatchObject({ requests: 1 });
  });

  it('does not send each read of a stale page to Redis while no call may be made', async () => {
    const replica = await start({ ttlMs: 100 });
    await replica.read();
    await sleep(110);
    let attempts = 0;
    source = async () => {
      attempts++;
      throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    const until = performance.now() + 350;
    while (performance.now() < until) {
      expect(await replica.read()).toMatchObject({ stale: true });
      await sleep(2);
    }
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThan(6);
  });

  it('waits for a holder that died no longer than an attempt may take', async () => {
    const replica = await start({ attemptMs: 1000 });
    await redis.client.set(LOCK_1, 'of a replica that is gone', 'PX', 1000);
    const startedAt = performance.now();
    expect(await replica.read()).toMatchObject({ ids: range(1, 20), requests: 1 });
    const waitedMs = performance.now() - startedAt;
    expect(waitedMs).toBeGreaterThan(800);
    expect(waitedMs).toBeLessThan(1500);
  });

  it('gives up its lock as soon as Redis is there again, if it could not before', async () => {
    const [first, second] = await startMany(2);
    const answer = source;
    source = async (_key, { onRequest }) => {
      onRequest();
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      throw new ApiError('UPSTREAM_UNAUTHENTICATED');
    };
    await codeOf(first?.read() ?? Promise.resolve());
    expect(await redis.client.pttl(LOCK_1)).toBeGreaterThan(2000);
    source = answer;
    await within(1500, () => Boolean(first?.link.isUp() && second?.link.isUp()));
    await sleep(50);
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('keeps its lock while it waits for a slow answer', async () => {
    latencyMs = 2500;
    const [first, second] = await startMany(2, { attemptMs: 600 });
    const slow = first?.read();
    await sleep(100);
    expect(await redis.client.pttl(LOCK_1)).toBeLessThanOrEqual(600);
    expect(await second?.read()).toMatchObject({ ids: range(1, 20), requests: 0, pages: { shared: 1 } });
    expect((await slow)?.requests).toBe(1);
    expect(bill).toEqual([1]);
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('costs one request more at most when a lock is lost, and no wrong page', async () => {
    latencyMs = 400;
    const [first, second] = await startMany(2);
    const reads = [first?.read()];
    await sleep(100);
    await redis.client.del(LOCK_1);
    reads.push(second?.read());
    const windows = await Promise.all(reads);
    expect(windows.map((window) => window?.ids)).toEqual([range(1, 20), range(1, 20)]);
    expect(bill).toEqual([1, 1]);
    expect(await second?.read()).toMatchObject({ ids: range(1, 20), requests: 0 });
    expect(await redis.client.exists(LOCK_1)).toBe(0);
  });

  it('answers with what another fetched when its lock was lost and its own call failed', async () => {
    const [first, second] = await startMany(2);
    const answer = source;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    source = async (_key, { onRequest }) => {
      onRequest();
      await gate;
      throw new ApiError('UPSTREAM_TIMEOUT');
    };
    const reading = first?.read();
    await sleep(50);
    await redis.client.del(LOCK_1);
    source = answer;
    await second?.read();
    open();
    expect(await reading).toMatchObject({ ids: range(1, 20), requests: 1 });
    expect(await redis.client.exists('test:failure:US:7:VIEWS:1')).toBe(0);
  });

  it('leaves the lock of another alone when it has lost its own', async () => {
    latencyMs = 200;
    const replica = await start();
    const reading = replica.read();
    await sleep(100);
    await redis.client.set(LOCK_1, 'of another', 'PX', 5000);
    await reading;
    expect(await redis.client.get(LOCK_1)).toBe('of another');
  });

  it('makes no call when the lock was lost before it was its turn', async () => {
    const answer = source;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    source = async (key, fetchOptions) => {
      await gate;
      fetchOptions.check();
      return answer(key, fetchOptions);
    };
    const first = await start({ attemptMs: 600 });
    const waiting = first.read();
    await sleep(50);
    await redis.client.set(LOCK_1, 'of another', 'PX', 5000);
    await sleep(300);
    source = answer;
    const page = makePage(chart.rows, 1, 20, { fetchedAt: systemClock.now() });
    // The other one stores the page and gives up its lock.
    await redis.client.del(LOCK_1);
    const other = await start();
    await other.read();
    open();
    expect(await waiting).toMatchObject({
      ids: page.rows.map((video) => Number(video?.itemId)),
      requests: 0,
    });
    expect(bill).toEqual([1]);
  });

  it('drops what it holds when another replica learns that upstream refuses the page', async () => {
    const [first, second] = await startMany(2, { ttlMs: 200 });
    await first?.read();
    await second?.read();
    await sleep(210);
    let calls = 0;
    source = async (_key, { onRequest }) => {
      onRequest();
      calls++;
      throw new ApiError('BAD_USER_INPUT', { message: 'no such page' });
    };
    expect(await first?.read()).toMatchObject({ stale: true });
    await sleep(50);
    // Served while it asks; what it hears is that the page is refused.
    expect(await second?.read()).toMatchObject({ stale: true });
    await sleep(50);
    // For good, though there was a copy in Redis, and those who come later may have one.
    for (let time = 0; time < 3; time++) {
      expect(await codeOf(second?.read() ?? Promise.resolve())).toBe('BAD_USER_INPUT');
      await sleep(400);
    }
    expect(await redis.client.exists(PAGE_1)).toBe(0);
    expect(calls).toBe(1);
  });

  it('does not believe a failure that lasts for ever, or that cannot be read', async () => {
    const replica = await start();
    const failure = 'test:failure:US:7:VIEWS:';
    await redis.client.hset(`${failure}1`, 'until', '9999999999999999', 'error', '{}');
    await redis.client.hset(`${failure}2`, 'until', Date.now() + 30_000, 'error', 'garbage');
    expect(await replica.read({ first: 40 })).toMatchObject({ ids: range(1, 40), requests: 2 });
  });

  it('does not take a lock from a replica whose attempts may take longer', async () => {
    latencyMs = 400;
    const first = await start({ attemptMs: 5000 });
    const second = await start({ attemptMs: 1000 });
    const reading = first.read();
    await sleep(100);
    expect(await second.read()).toMatchObject({ requests: 0 });
    await reading;
    expect(bill).toEqual([1]);
  });

  it('does not let an answer that lay for long take the place of one that was asked for later', async () => {
    const [first, second] = await startMany(2);
    const answer = source;
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    source = async (key, fetchOptions) => {
      const page = await answer(key, fetchOptions);
      await gate;
      return page;
    };
    const reading = first?.read();
    await sleep(50);
    await redis.client.del(LOCK_1);
    source = answer;
    chart.rows = makeVideos(101, 600);
    await second?.read();
    open();
    await reading;
    await sleep(600);
    const windows = await Promise.all([first, second, await start()].map((replica) => replica?.read()));
    expect(windows.map((window) => window?.ids[0])).toEqual([101, 101, 101]);
    expect(bill).toEqual([1, 1]);
  });

  it('serves who waited for a page that came too late for its generation', async () => {
    const fleet = await startMany(2, { ttlMs: 500 });
    for (const replica of fleet) await replica.read();
    const freshUntil = fleet[0]?.store.copies(US_VIEWS)[0]?.freshUntil ?? 0;
    const answer = source;
    source = async (key, fetchOptions) => {
      const page = await answer(key, fetchOptions);
      await sleep(freshUntil - performance.now() - 10);
      return page;
    };
    const next = { first: 20, after: { rank: 20, itemId: null } };
    await Promise.all(fleet.map((replica) => replica.read(next)));
    expect(bill.filter((number) => number === 2)).toEqual([2]);
  });

  it('refreshes a page for its covers once in a generation, whatever becomes of Redis', async () => {
    const replica = await start();
    const readWithCovers = async () => {
      const cover = { cover: 'https://a.test/1', coverExpiresAt: Date.now() + 100 };
      chart.rows = makeVideos(1, 500).map((video) => ({ ...video, ...cover }));
      await replica.read();
      await sleep(150);
    };
    for (let time = 0; time < 4; time++) {
      await readWithCovers();
      // As if it was evicted.
      await redis.client.del(PAGE_1);
    }
    expect(bill).toEqual([1, 1]);
    await redis.kill();
    await redis.start();
    await within(1500, () => replica.events.some(({ type }) => type === 'redisDown') && replica.link.isUp());
    await sleep(200);
    const other = await start();
    await other.read();
    await other.read();
    expect(bill).toEqual([1, 1]);
  });

  it('gives back to Redis what that has lost, so that nothing is bought again', async () => {
    const first = await start();
    await first.read({ first: 40 });
    await redis.kill();
    await sleep(600);
    expect(first.link.isUp()).toBe(false);
    expect(await first.read({ first: 40 })).toMatchObject({ requests: 0 });
    await first.read({ first: 20, after: { rank: 40, itemId: null } });
    await redis.start();
    await within(1500, () => first.link.isUp());
    await sleep(100);
    const second = await start();
    expect(await second.read({ first: 60 })).toMatchObject({ ids: range(1, 60), requests: 0 });
    expect(bill).toEqual([1, 2, 3]);
  });

  it('gives back what a Redis has lost that was restarted between two beats, or emptied', async () => {
    const first = await start();
    await first.read({ first: 40 });
    await redis.kill();
    await redis.start();
    await sleep(1200);
    expect(await (await start()).read({ first: 40 })).toMatchObject({ requests: 0 });
    await redis.client.flushall();
    await sleep(1200);
    expect(await (await start()).read({ first: 40 })).toMatchObject({ requests: 0 });
    expect(bill).toEqual([1, 2]);
  });

  it('gives Redis a page that was asked for before it came back', async () => {
    const first = await start();
    await redis.kill();
    await sleep(600);
    latencyMs = 1500;
    const reading = first.read();
    await sleep(100);
    await redis.start();
    await reading;
    expect(await (await start()).read()).toMatchObject({ requests: 0 });
    expect(bill).toEqual([1]);
  });

  it('takes what others fetched while it could not reach Redis', async () => {
    const [first, second] = await startMany(2, { ttlMs: 400 });
    await first?.read();
    await second?.read();
    await redis.kill();
    await sleep(600);
    // Each on its own: both refresh.
    chart.rows = makeVideos(101, 600);
    await first?.read();
    await sleep(50);
    await redis.start();
    await within(1500, () => Boolean(first?.link.isUp() && second?.link.isUp()));
    await within(1000, () => second?.store.copies(US_VIEWS)[0]?.rows[0]?.itemId === '101');
    expect(bill).toEqual([1, 1]);
  });

  it('keeps no key for ever, and all under its prefix', async () => {
    const replica = await start({ creditsPerDay: 100 });
    await replica.read();
    source = async (_key, { onRequest }) => {
      onRequest();
      throw new ApiError('UPSTREAM_UNAUTHENTICATED');
    };
    await codeOf(replica.read({ first: 20, after: { rank: 20, itemId: null } }));
    source = async (_key, { onRequest }) => {
      onRequest();
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
