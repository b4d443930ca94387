import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import type { SettledStats, StatsCall } from '../../../src/data/stats/fetchStats.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { StatsBatch } from '../../../src/domain/videoStats.ts';
import { createCall } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { fc } from '../../support/fastCheck.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis, timeOf, watchCommands } from '../support/redis.ts';
import {
  expireStats,
  makeStats,
  type StatsReplica,
  type StatsReplicaOptions,
  type StatsSource,
  startStatsReplica,
} from '../support/statsReplica.ts';

const STATS_1 = 'test:stats:1';
const LOCK_1 = 'test:statsLock:1';
const FAILURE_1 = 'test:statsFailure:1';
/** Videos with ids from here on are not known to upstream. */
const UNKNOWN = 900_000;

let redis: TestRedis;
let replicas: StatsReplica[];
/** The batches that were bought. */
let bill: number[][];
/** How upstream responds. */
let source: StatsSource;
/** When set, responses to the calls that are made now wait for it. */
let gate: Promise<void> | undefined;

async function start(options: Partial<StatsReplicaOptions> = {}): Promise<StatsReplica> {
  const replica = await startStatsReplica({
    url: redis.url,
    source: (batch, call) => source(batch, call),
    ...options,
  });
  replicas.push(replica);
  return replica;
}

async function startTwo(options: Partial<StatsReplicaOptions> = {}): Promise<[StatsReplica, StatsReplica]> {
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

/** The videos that were bought, in order. */
function bought(): number[] {
  return bill.flat().sort((a, b) => a - b);
}

function toIds(...numbers: number[]): string[] {
  return numbers.map(String);
}

/** Fetches numbers without a lookup; returns what became of each video, and those that filled a batch. */
async function fetch(
  { fetchStats }: StatsReplica,
  ids: readonly number[],
  { others = [], ...overrides }: Partial<StatsCall> & { others?: readonly number[] } = {},
) {
  const settled = new Map<string, SettledStats>();
  const filled: string[] = [];
  await fetchStats({
    itemIds: toIds(...ids),
    others: toIds(...others),
    call: { ...createCall(), reserve: () => undefined, ...overrides },
    onFill: (itemIds) => void filled.push(...itemIds),
    onSettled: (itemId, outcome) => {
      expect(settled.has(itemId)).toBe(false);
      settled.set(itemId, outcome);
    },
  });
  const words = [...settled].map(([itemId, outcome]) => [
    itemId,
    outcome instanceof Error ? (outcome as ApiError).code : outcome.origin,
  ]);
  return { outcomes: Object.fromEntries(words), filled: filled.map(Number) };
}

/** Waits until the numbers of all these videos are in Redis. */
function waitForStats(...ids: number[]): Promise<void> {
  const keys = ids.map((id) => `test:stats:${id}`);
  return poll(async () => (await redis.client.exists(...keys)) === keys.length);
}

/** Lets so many turns of the event loop pass. */
async function takeTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}

/** A source whose calls are sent and fail. */
function failWith(error: ApiError, calls: StatsBatch[] = []): StatsSource {
  return async (batch, { onSent }) => {
    onSent();
    calls.push(batch);
    await gate;
    throw error;
  };
}

describeWithRedis('createSharedStats', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    bill = [];
    gate = undefined;
    source = async (batch, { onSent }) => {
      onSent();
      bill.push(batch.map(Number));
      await gate;
      return new Map(batch.map((id) => [id, Number(id) < UNKNOWN ? makeStats(Number(id)) : null]));
    };
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('buys for two replicas what one would buy', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const reads = [first.read(range(1, 25)), second.read(range(1, 25))];
    await poll(() => first.waits() + second.waits() > 1);
    release();
    const results = await Promise.all(reads);
    expect(bill.map((batch) => batch.length)).toEqual([10, 10, 5]);
    expect(bought()).toEqual(range(1, 25));
    for (const { views } of results) expect(views).toEqual(range(1, 25));
    expect(results.reduce((sum, { requests }) => sum + requests, 0)).toBe(3);
    const origins = results.map((result) => result.origins);
    expect(origins).toContainEqual({ cached: 0, stale: 0, shared: 0, fetched: 25 });
    expect(origins).toContainEqual({ cached: 0, stale: 0, shared: 25, fetched: 0 });
    expect(await redis.client.keys('test:statsLock:*')).toEqual([]);
  });

  it('does not buy again what others buy of overlapping videos, and does not wait for them to buy the rest', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const one = first.read(range(1, 15));
    await poll(() => bill.length === 2);
    const other = second.read(range(10, 30));
    await poll(() => bill.length === 4);
    expect(bought()).toEqual(range(1, 30));
    await poll(() => second.waits() > 1);
    release();
    expect(await one).toMatchObject({ views: range(1, 15), requests: 2 });
    expect(await other).toMatchObject({
      views: range(10, 30),
      requests: 2,
      origins: { fetched: 15, shared: 6 },
    });
    expect(bill).toHaveLength(4);
  });

  it('waits for another request of the same replica', async () => {
    const replica = await start();
    const release = hold();
    const one = fetch(replica, [1, 2]);
    await poll(() => bill.length === 1);
    const other = fetch(replica, [2, 3]);
    await poll(() => replica.waits() > 0);
    release();
    expect((await one).outcomes).toEqual({ 1: 'fetched', 2: 'fetched' });
    expect((await other).outcomes).toEqual({ 2: 'shared', 3: 'fetched' });
    expect(bill).toEqual([[1, 2], [3]]);
  });

  it('gives a new replica all numbers with one MGET, their age included', async () => {
    const first = await start();
    const before = await first.read([...range(1, 9), UNKNOWN]);
    expect(before.views).toEqual([...range(1, 9), null]);
    const second = await start();
    const { commands, stop } = await watchCommands(redis);
    const after = await second.read([...range(1, 9), UNKNOWN]);
    await stop();
    expect(after).toMatchObject({ views: before.views, requests: 0, origins: { cached: 10 } });
    expect(commands.filter(([name]) => name === 'mget')).toHaveLength(1);
    for (const itemId of toIds(1, UNKNOWN)) {
      const [one, other] = [first, second].map(({ store }) => store.peek(itemId));
      expect(other?.stats).toEqual(one?.stats);
      expect(Math.abs((other?.freshUntil ?? 0) - (one?.freshUntil ?? 0))).toBeLessThan(1000);
    }
    expect(bill).toHaveLength(1);
  });

  it('fills the batches of several replicas without buying anything twice', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const one = first.read([1, 2, 3], range(4, 30));
    await poll(() => bill.length === 1);
    const other = second.read([31], range(4, 30));
    await poll(() => bill.length === 2);
    release();
    expect((await one).requests + (await other).requests).toBe(2);
    expect(bill).toEqual([range(1, 10), [31, ...range(11, 19)]]);
    expect(await (await start()).read(range(1, 19))).toMatchObject({ views: range(1, 19), requests: 0 });
  });

  it('fills a batch with videos without numbers, then with expired ones, and with no others', async () => {
    const first = await start();
    await first.read(range(1, 5));
    await expireStats(redis, [first]);
    await first.read(range(11, 15));
    await redis.client.set('test:statsLock:33', 'of another', 'PX', 2000);
    const error = JSON.stringify({ code: 'UPSTREAM_ERROR', message: 'no' });
    await redis.client.hset('test:statsFailure:34', {
      until: Math.floor(await timeOf(redis)) + 60_000,
      error,
    });
    // This one has not looked up anything.
    const second = await start();
    const { outcomes, filled } = await fetch(second, [21], { others: [1, 2, 11, 12, 31, 33, 34, 32] });
    expect(filled).toEqual([31, 32, 1, 2]);
    expect(outcomes).toEqual({ 21: 'fetched', 31: 'fetched', 32: 'fetched', 1: 'fetched', 2: 'fetched' });
    expect(bill.at(-1)).toEqual([21, 31, 32, 1, 2]);
    expect(await redis.client.keys('test:statsLock:*')).toEqual(['test:statsLock:33']);
  });

  it('fills only the room of the last batch', async () => {
    const replica = await start();
    expect((await fetch(replica, range(1, 10), { others: [50] })).filled).toEqual([]);
    expect((await fetch(replica, range(11, 28), { others: range(50, 60) })).filled).toEqual([50, 51]);
    // What is cached needs no batch.
    expect((await fetch(replica, range(1, 10), { others: [70] })).outcomes).toMatchObject({ 1: 'cached' });
    expect(bill.map(({ length }) => length)).toEqual([10, 10, 10]);
  });

  it('asks Redis for no more videos than are likely to fill a batch', async () => {
    const replica = await start();
    const { commands, stop } = await watchCommands(redis);
    expect((await fetch(replica, [1], { others: range(100, 600) })).filled).toEqual(range(100, 108));
    await stop();
    const keys = commands.flatMap((words) => words.filter((word) => word.startsWith('test:stats:')));
    expect(keys.filter((name) => name === 'test:stats:199')).toHaveLength(1);
    expect(keys).not.toContain('test:stats:200');
  });

  it('refreshes expired numbers once, and serves them as stale meanwhile', async () => {
    const fleet = await Promise.all([start(), start(), start()]);
    for (const replica of fleet) await replica.read(range(1, 10));
    await expireStats(redis, fleet);
    const release = hold();
    for (const replica of fleet)
      expect(await replica.read(range(1, 10))).toMatchObject({ origins: { stale: 10 }, requests: 0 });
    await poll(() => fleet.filter((replica) => replica.waits() > 0).length === 2);
    release();
    await Promise.all(fleet.map(({ cache }) => cache.settle()));
    for (const replica of fleet)
      expect(await replica.read(range(1, 10))).toMatchObject({ origins: { cached: 10 }, requests: 0 });
    expect(bill).toHaveLength(2);
  });

  it('imports expired numbers of others, which are served as stale', async () => {
    const [first, second] = await startTwo();
    await first.read([1]);
    await expireStats(redis, [first]);
    const release = hold();
    expect(await second.read([1])).toMatchObject({ views: [1], origins: { stale: 1 } });
    release();
    await second.cache.settle();
    expect(bill).toEqual([[1], [1]]);
  });

  it('does not import the same numbers again', async () => {
    const [first, second] = await startTwo();
    await first.read([1]);
    await second.lookUp(['1']);
    const { changes } = second.store;
    await second.lookUp(['1', '2']);
    await first.lookUp(['1']);
    expect(second.store.changes).toBe(changes);
    expect(first.store.changes).toBe(1);
  });

  it('shares that upstream refuses a video, which is then asked for alone', async () => {
    const working = source;
    source = async (batch, call) => {
      if (!batch.includes('7')) return working(batch, call);
      call.onSent();
      bill.push(batch.map(Number));
      throw new ApiError('BAD_USER_INPUT');
    };
    const [first, second] = await startTwo();
    await first.read(range(6, 9));
    expect(bill).toEqual([[6, 7, 8, 9], [6, 7], [8, 9], [6], [7]]);
    expect(await second.read(range(6, 9))).toMatchObject({ views: [6, null, 8, 9], requests: 0 });
    const value = (await redis.client.get('test:stats:7')) ?? '';
    expect(Number(value.split(' ')[1]) - (await timeOf(redis))).toBeGreaterThan(500_000);
    await expireStats(redis, [first, second]);
    bill = [];
    const third = await start();
    // Nor does it fill a batch.
    await fetch(third, [1], { others: [7] });
    await fetch(third, [7, 2], { others: [3] });
    expect(bill).toEqual([[1], [2, 3], [7]]);
  });

  it('shares a failure with those that wait, and buys again only after a while', async () => {
    const errorTtlMs = 20_000;
    const calls: StatsBatch[] = [];
    const upstream = { status: 503, code: 500, requestId: 'r1' };
    source = failWith(new ApiError('UPSTREAM_ERROR', { upstream, detail: 'for the log alone' }), calls);
    const fleet = await Promise.all([start({ errorTtlMs }), start({ errorTtlMs }), start({ errorTtlMs })]);
    const release = hold();
    const reads = fleet.map((replica) => replica.read([1, 2]));
    await poll(() => fleet.filter(({ waits }) => waits() > 0).length === 2);
    release();
    for (const { views } of await Promise.all(reads))
      expect(views).toEqual(['UPSTREAM_ERROR', 'UPSTREAM_ERROR']);
    for (const replica of fleet) expect((await replica.read([1])).views).toEqual(['UPSTREAM_ERROR']);
    expect(calls).toHaveLength(1);
    expect(JSON.stringify(await redis.client.hgetall(FAILURE_1))).not.toContain('log alone');

    // The second failure in a row is remembered for twice as long, on whichever replica it happens.
    await redis.client.hset(FAILURE_1, 'until', 0);
    const another = await start({ errorTtlMs });
    const before = await timeOf(redis);
    await another.read([1]);
    const failedUntil = Number(await redis.client.hget(FAILURE_1, 'until'));
    expect(failedUntil).toBeGreaterThanOrEqual(Math.floor(before) + 2 * errorTtlMs);
    expect(failedUntil).toBeLessThanOrEqual((await timeOf(redis)) + 2 * errorTtlMs);
    expect(calls).toEqual([['1', '2'], ['1']]);
    expect(await redis.client.hget('test:statsFailure:2', 'count')).toBe('1');
  });

  it('forgets the failures of a video whose numbers were bought', async () => {
    const [first, second] = await startTwo({ errorTtlMs: 60_000 });
    const working = source;
    source = failWith(new ApiError('UPSTREAM_ERROR'));
    await first.read([1]);
    source = working;
    await redis.client.hset(FAILURE_1, 'until', 0);
    expect(await second.read([1])).toMatchObject({ views: [1] });
    expect(await redis.client.exists(FAILURE_1)).toBe(0);
    // The one that had failed learns of them.
    expect(first.failures.find('1')).toBeDefined();
    expect(await first.read([1])).toMatchObject({ views: [1], requests: 0 });
    expect(first.failures.find('1')).toBeUndefined();
  });

  it('lets others buy at once when the call was not made', async () => {
    const [first, second] = await startTwo();
    const working = source;
    source = async () => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    expect((await first.read([1])).views).toEqual(['UPSTREAM_UNAVAILABLE']);
    expect(await redis.client.exists(LOCK_1, FAILURE_1)).toBe(0);
    source = working;
    expect(await second.read([1])).toMatchObject({ views: [1], requests: 1 });
  });

  it('lets others buy at once what an operation may not spend', async () => {
    const [first, second] = await startTwo();
    const ids = range(1, 12);
    const { views } = await first.read(ids, [], { creditsLeft: 1 });
    expect(views).toEqual([...range(1, 10), 'OPERATION_TOO_EXPENSIVE', 'OPERATION_TOO_EXPENSIVE']);
    expect(await second.read(ids)).toMatchObject({ views: ids, requests: 1 });
  });

  it('does not ask Redis on each read of expired numbers while no call may be made', async () => {
    const clock = createTestClock(Date.now());
    const replica = await start({ clock });
    await replica.read([1]);
    await expireStats(redis, [replica]);
    let attempts = 0;
    source = async () => {
      attempts++;
      throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    for (const tenth of range(1, 3)) {
      for (let time = 0; time < 10; time++) {
        expect(await replica.read([1])).toMatchObject({ origins: { stale: 1 } });
        await replica.cache.settle();
      }
      expect(attempts).toBe(tenth);
      clock.advance(100);
    }
  });

  it('waits for the locks of a crashed replica until they expire, and buys the rest at once', async () => {
    const replica = await start({ attemptMs: 2900 });
    await redis.client.set(LOCK_1, 'of a replica that is gone', 'PX', 2900);
    const reading = replica.read([1, 2]);
    await poll(() => replica.waits() > 1);
    expect(bill).toEqual([[2]]);
    expect(replica.store.peek('2')).toBeDefined();
    expect(await redis.client.get(LOCK_1)).toBe('of a replica that is gone');
    await redis.client.pexpire(LOCK_1, 1);
    expect(await reading).toMatchObject({ views: [1, 2], requests: 2 });
    expect(bill).toEqual([[2], [1]]);
  });

  it('fills a batch that it had to wait for, too', async () => {
    const replica = await start();
    await redis.client.set(LOCK_1, 'crashed', 'PX', 400);
    await replica.read([1], [2, 3, 4, 5]);
    expect(bill).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('does not refuse an operation what another one may not spend', async () => {
    const replica = await start();
    const [poor, rich] = await Promise.all([
      replica.read([1, 2, 3], [4], { creditsLeft: 0 }),
      replica.read([1, 2, 3], [4]),
    ]);
    expect(poor.views).toEqual(Array(3).fill('OPERATION_TOO_EXPENSIVE'));
    expect(rich.views).not.toContain('OPERATION_TOO_EXPENSIVE');
    expect(bill).toHaveLength(1);
  });

  it('does not wait for a lock that no replica would hold for so long', async () => {
    const replica = await start();
    await redis.client.set(LOCK_1, 'for ever');
    await redis.client.set('test:statsLock:2', 'for long', 'PX', 60_000);
    await redis.client.lpush('test:statsLock:3', 'of the wrong type');
    expect(await replica.read([1, 2, 3])).toMatchObject({ views: [1, 2, 3], requests: 1 });
  });

  it('stops waiting for others at the deadline of the call', async () => {
    const replica = await start();
    await redis.client.set(LOCK_1, 'of another', 'PX', 2900);
    const deadlineAt = replica.clock.monotonic() + 100;
    const { outcomes } = await fetch(replica, [1, 2], { deadline: () => deadlineAt });
    expect(outcomes).toEqual({ 1: 'UPSTREAM_TIMEOUT', 2: 'fetched' });
    expect(await redis.client.get(LOCK_1)).toBe('of another');
    const signal = AbortSignal.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    expect((await fetch(replica, [1], { signal })).outcomes).toEqual({ 1: 'UPSTREAM_QUOTA_EXCEEDED' });
  });

  it('renews its locks while it waits for a slow response', async () => {
    const attemptMs = 2900;
    const [first, second] = await startTwo({ attemptMs });
    const release = hold();
    const slow = first.read([1, 2]);
    await poll(() => bill.length === 1);
    for (const lock of [LOCK_1, 'test:statsLock:2']) {
      expect(await redis.client.pttl(lock)).toBeLessThanOrEqual(attemptMs);
      // Most of its time is over; then its holder renews it.
      await redis.client.pexpire(lock, 2000);
      await poll(async () => (await redis.client.pttl(lock)) > 2000);
    }
    const waiting = second.read([1, 2]);
    await poll(() => second.waits() > 0);
    release();
    expect(await waiting).toMatchObject({ views: [1, 2], requests: 0, origins: { shared: 2 } });
    await slow;
    expect(bill).toEqual([[1, 2]]);
  });

  it('claims again, without another reservation, when a lock was lost before the call was sent', async () => {
    const working = source;
    let isWaiting = false;
    source = async (_batch, { signal }) => {
      isWaiting = true;
      // The next renewal finds that a lock is lost.
      for (;;) {
        signal?.throwIfAborted();
        await systemClock.sleep(10);
      }
    };
    const replica = await start({ attemptMs: 600 });
    const reading = replica.read([1, 2], [], { creditsLeft: 2 });
    await poll(() => isWaiting);
    source = working;
    await redis.client.set(LOCK_1, 'of another', 'PX', 2900);
    await poll(() => bill.length === 1 && replica.waits() > 0);
    expect(bill).toEqual([[2]]);
    await redis.client.del(LOCK_1);
    expect(await reading).toMatchObject({ views: [1, 2], requests: 2 });
    expect(bill).toEqual([[2], [1]]);
  });

  it('buys at most once more when a lock is lost, and does not release the lock of another', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const reads = [first.read([1])];
    await poll(() => bill.length === 1);
    await redis.client.del(LOCK_1);
    reads.push(second.read([1]));
    await poll(() => bill.length === 2);
    await redis.client.set(LOCK_1, 'of another', 'PX', 60_000);
    release();
    for (const { views } of await Promise.all(reads)) expect(views).toEqual([1]);
    expect(bill).toEqual([[1], [1]]);
    expect(await redis.client.get(LOCK_1)).toBe('of another');
  });

  it('serves what another replica bought when its own lock was lost and its call failed', async () => {
    const [first, second] = await startTwo();
    const working = source;
    const release = hold();
    const calls: StatsBatch[] = [];
    source = failWith(new ApiError('UPSTREAM_TIMEOUT'), calls);
    const reading = first.read([1]);
    await poll(() => calls.length === 1);
    await redis.client.del(LOCK_1);
    source = working;
    const heldGate = gate;
    gate = undefined;
    await second.read([1]);
    gate = heldGate;
    release();
    expect(await reading).toMatchObject({ views: [1], origins: { shared: 1 }, requests: 1 });
    expect(await redis.client.exists(FAILURE_1)).toBe(0);
  });

  it('does not replace newer numbers by older ones', async () => {
    const replica = await start();
    const now = Math.floor(await timeOf(redis));
    const release = hold();
    const reading = replica.read([1]);
    await poll(() => bill.length === 1);
    const newer = `${now + 4000} ${now + 64_000} 0 1\n[77,null,null,null,null,null,1]`;
    await redis.client.set(STATS_1, newer, 'PX', 60_000);
    release();
    await reading;
    expect(await redis.client.get(STATS_1)).toBe(newer);
  });

  it('serves numbers that it waited for, although they have expired meanwhile', async () => {
    let wake = (): void => undefined;
    let isAwake: Promise<void> | undefined;
    const first = await start();
    const second = await start({
      clock: { ...systemClock, sleep: async (ms) => isAwake ?? systemClock.sleep(ms) },
    });
    const release = hold();
    const reading = first.read([1]);
    await poll(() => bill.length === 1);
    isAwake = new Promise((resolve) => {
      wake = resolve;
    });
    const waiting = second.read([1]);
    await poll(() => second.waits() > 0);
    release();
    await reading;
    await expireStats(redis, [first]);
    isAwake = undefined;
    wake();
    expect(await waiting).toMatchObject({ views: [1], requests: 0, origins: { shared: 1 } });
    expect(bill).toEqual([[1]]);
  });

  it('buys by itself while Redis is down, and stores that in Redis when it is up again', async () => {
    const [first, second] = await startTwo();
    await first.read([1]);
    await redis.kill();
    await poll(() => replicas.every((replica) => !replica.redis.isUp()));
    expect(await first.read([2], [3])).toMatchObject({ views: [2], requests: 1 });
    expect(await second.read([4])).toMatchObject({ views: [4], requests: 1 });
    expect(bill).toEqual([[1], [2, 3], [4]]);
    await redis.start();
    await waitForStats(1, 2, 3, 4);
    const third = await start();
    expect(await third.read(range(1, 4))).toMatchObject({ views: range(1, 4), requests: 0 });
  });

  it('restores all numbers that Redis has lost, one part after the other', async () => {
    const replica = await start();
    await replica.read([...range(1, 249), UNKNOWN]);
    await redis.client.flushall();
    await waitForStats(...range(1, 249), UNKNOWN);
    const ttl = await redis.client.pttl(STATS_1);
    expect(ttl).toBeGreaterThan(60_000);
    expect(ttl).toBeLessThanOrEqual(120_000);
    expect(await (await start()).read([...range(1, 249), UNKNOWN])).toMatchObject({ requests: 0 });
    expect(bill).toHaveLength(25);
  });

  it('finishes what it buys when Redis goes down meanwhile, and buys what it waited for', async () => {
    const [first, second] = await startTwo();
    const release = hold();
    const one = first.read([1, 2]);
    await poll(() => bill.length === 1);
    const other = second.read([2, 3]);
    await poll(() => bill.length === 2 && second.waits() > 0);
    await redis.kill();
    // Nobody knows any more that the other one fetches it.
    await poll(() => bill.length === 3);
    release();
    expect(await one).toMatchObject({ views: [1, 2], requests: 1 });
    expect(await other).toMatchObject({ views: [2, 3], requests: 2 });
    expect(bill).toEqual([[1, 2], [3], [2]]);
    await redis.start();
    await waitForStats(1, 2, 3);
  });

  it('stores numbers in Redis that were requested while it was down', async () => {
    const replica = await start();
    await redis.kill();
    await poll(() => !replica.redis.isUp());
    const release = hold();
    const reading = replica.read([1]);
    await poll(() => bill.length === 1);
    await redis.start();
    await poll(() => replica.redis.isUp());
    release();
    await reading;
    expect(await redis.client.exists(STATS_1)).toBe(1);
    expect(await (await start()).read([1])).toMatchObject({ requests: 0 });
  });

  it('releases its locks once Redis is up again, if Redis was down before', async () => {
    const [first, second] = await startTwo();
    const [, password = ''] = (await redis.client.config('GET', 'requirepass')) as string[];
    source = async (_batch, { onSent }) => {
      onSent();
      // The lock must not expire by itself.
      await redis.client.pexpire(LOCK_1, 60_000);
      await redis.client.config('SET', 'requirepass', 'nobody knows');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      throw new ApiError('UPSTREAM_UNAUTHENTICATED');
    };
    await first.read([1]);
    expect(await redis.client.exists(LOCK_1)).toBe(1);
    await redis.client.config('SET', 'requirepass', password);
    await poll(() => first.redis.isUp() && second.redis.isUp());
    await poll(async () => (await redis.client.exists(LOCK_1)) === 0);
  });

  it.each([
    ['that is not ours', () => 'garbage'],
    ['of the wrong type', () => undefined],
    ['without numbers', (head: string) => `${head} 0 1`],
    ['whose numbers are no JSON', (head: string) => `${head} 0 1\n[1,`],
    ['with too few numbers', (head: string) => `${head} 0 1\n[1,2,3]`],
    ['with a negative count', (head: string) => `${head} 0 1\n[-1,2,3,4,5,6,7]`],
    ['with a count that is too large', (head: string) => `${head} 0 1\n[1e17,2,3,4,5,6,7]`],
    ['with a fraction', (head: string) => `${head} 0 1\n[1.5,2,3,4,5,6,7]`],
    ['with a time that cannot be serialised', (head: string) => `${head} 0 1\n[1,2,3,4,5,8e15,7]`],
    ['of another video', (head: string) => `${head} 0 2\n[1,2,3,4,5,6,7]`],
    ['with numbers of a refused video', (head: string) => `${head} 1 1\n[1,2,3,4,5,6,7]`],
    ['that is far too long', (head: string) => `${head} 0 1\n${' '.repeat(5000)}[1,2,3,4,5,6,7]`],
    [
      'from the future',
      (_head: string, now: number) => `${now + 99_000} ${now + 159_000} 0 1\n[1,2,3,4,5,6,7]`,
    ],
  ])('replaces a value %s', async (_what, toValue) => {
    const now = Math.floor(await timeOf(redis));
    const value = toValue(`${now} ${now + 60_000}`, now);
    if (value === undefined) await redis.client.lpush(STATS_1, 'text');
    else await redis.client.set(STATS_1, value);
    const [first, second] = await startTwo();
    expect((await fetch(first, [1])).outcomes).toEqual({ 1: 'fetched' });
    expect(bill).toEqual([[1]]);
    expect(await second.read([1])).toMatchObject({ views: [1], requests: 0 });
    expect(await redis.client.pttl(STATS_1)).toBeGreaterThan(0);
  });

  it('reads nothing from malformed values', async () => {
    const now = Math.floor(await timeOf(redis));
    const replica = await start();
    await redis.client.set(STATS_1, `${now} ${now + 60_000} 0 2\n[1,2,3,4,5,6,7]`);
    await redis.client.lpush('test:stats:2', 'text');
    await replica.lookUp(['1', '2', '3']);
    expect(replica.store.all()).toEqual([]);
  });

  it('believes no value for longer than numbers live', async () => {
    const now = Math.floor(await timeOf(redis));
    await redis.client.set(STATS_1, `${now - 30_000} 9999999999999 0 1\n[77,null,null,null,null,null,1]`);
    await redis.client.set(
      'test:stats:2',
      `${now - 61_000} 9999999999999 0 2\n[77,null,null,null,null,null,1]`,
    );
    const replica = await start();
    const { clock, store } = replica;
    await replica.lookUp(['1', '2']);
    const leftMs = (store.peek('1')?.freshUntil ?? 0) - clock.monotonic();
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThan(31_000);
    expect(store.peek('2')?.freshUntil).toBeLessThan(clock.monotonic());
    expect((await fetch(replica, [1, 2])).outcomes).toEqual({ 1: 'cached', 2: 'fetched' });
  });

  it('ignores a failure that never expires, or that cannot be read', async () => {
    const replica = await start();
    await redis.client.hset(FAILURE_1, 'until', '9999999999999999', 'error', '{}');
    await redis.client.hset('test:statsFailure:2', 'until', Date.now() + 30_000, 'error', 'garbage');
    await redis.client.set('test:statsFailure:3', 'of the wrong type');
    expect(await replica.read([1, 2, 3])).toMatchObject({ views: [1, 2, 3] });
    expect(bought()).toEqual([1, 2, 3]);
  });

  it('settles every video when buying throws something unforeseen', async () => {
    const replica = await start();
    source = async () => {
      throw new TypeError('unforeseen');
    };
    expect((await replica.read([1, 2], [3])).views).toEqual(['other', 'other']);
    expect(await redis.client.keys('test:stats*')).toEqual([]);
  });

  it('gives every key an expiry and its prefix', async () => {
    const replica = await start();
    await replica.read([1, UNKNOWN]);
    source = failWith(new ApiError('UPSTREAM_ERROR'));
    await replica.read([2]);
    const keys = await redis.client.keys('*');
    expect(keys.map((key) => key.split(':')[1])).toEqual(expect.arrayContaining(['stats', 'statsFailure']));
    for (const key of keys) {
      expect(key).toMatch(/^test:/);
      expect(await redis.client.pttl(key)).toBeGreaterThan(0);
    }
  });

  it('buys no video twice, whatever three replicas ask for at the same time', async () => {
    const fleet = await Promise.all([start(), start(), start()]);
    const working = source;
    /** How many turns of the event loop each response takes, one after the other. */
    let latencies: readonly number[] = [];
    source = async (batch, call) => {
      const stats = await working(batch, call);
      await takeTurns(latencies[bill.length % latencies.length] ?? 0);
      return stats;
    };
    const id = fc.integer({ min: 1, max: 40 });
    const request = fc.record({
      replica: fc.nat({ max: 2 }),
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 25 }),
      others: fc.uniqueArray(id, { maxLength: 15 }),
      turns: fc.nat({ max: 100 }),
    });
    let run = 0;
    const requests = fc.array(request, { minLength: 2, maxLength: 8 });
    const turns = fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 5 });
    const property = fc.asyncProperty(requests, turns, async (wanted, taken) => {
      bill = [];
      latencies = taken;
      // Videos of their own for each run.
      const offset = ++run * 1000;
      const own = (ids: readonly number[]): number[] => ids.map((one) => offset + one);
      const reads = wanted.map(async ({ replica, ids, others, turns }) => {
        await takeTurns(turns);
        const isOther = (one: number): boolean => !ids.includes(one);
        return fleet[replica]?.read(own(ids), own(others.filter(isOther)));
      });
      const results = await Promise.all(reads);
      for (const [index, result] of results.entries())
        expect(result?.views).toEqual(own(wanted[index]?.ids ?? []));
      expect(new Set(bought()).size).toBe(bought().length);
      for (const batch of bill) expect(batch.length).toBeLessThanOrEqual(10);
      expect(results.reduce((sum, result) => sum + (result?.requests ?? 0), 0)).toBe(bill.length);
    });
    await fc.assert(property, { numRuns: 40 * Number(process.env.FUZZ_RUNS ?? 1) });
    expect(await redis.client.keys('test:statsLock:*')).toEqual([]);
  });
});
