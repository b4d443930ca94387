import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/domain/clock.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import { fetchOptions } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { codeOf, key, page } from '../../support/sources.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const REFUSALS = [
  ['UPSTREAM_UNAUTHENTICATED', undefined],
  ['UPSTREAM_QUOTA_EXCEEDED', undefined],
  ['UPSTREAM_FORBIDDEN', undefined],
  ['UPSTREAM_RATE_LIMITED', 3],
] as const;

let redis: TestRedis;
let replicas: TestReplica[];
/** When each call was made, and by whom. */
let calls: { at: number; replica: number }[];
let answer: PageSource;

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const index = replicas.length;
  const source: PageSource = async (pageKey, options) => {
    options.check();
    options.onRequest();
    calls.push({ at: performance.now(), replica: index });
    return answer(pageKey, options);
  };
  // Held before it is there, so that each has its own number.
  const starting = startReplica({ url: redis.url, source, ...options });
  replicas.push(undefined as unknown as TestReplica);
  const replica = await starting;
  replicas[index] = replica;
  return replica;
}

function startMany(count: number, options: Partial<ReplicaOptions> = {}): Promise<TestReplica[]> {
  return Promise.all(range(1, count).map(() => start(options)));
}

/** A call by this replica, as its code. */
function call(replica: TestReplica | undefined, number = 1): Promise<string> {
  if (!replica) throw new Error('no such replica');
  const deadlineAt = performance.now() + 8000;
  return codeOf(replica.fetch(key(number), fetchOptions({ deadline: () => deadlineAt })));
}

/** Waits until the replicas may spend: what an empty Redis has forgotten is told by then. */
async function openPurse(): Promise<void> {
  await redis.client.hset('test:budget', 'openAt', 0);
}

describeWithRedis('withSharedAllowance', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    calls = [];
    answer = async () => page;
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('makes no more calls in any second than are allowed to all replicas together', async () => {
    const fleet = await startMany(3, { qps: 5 });
    await Promise.all(range(1, 18).map((number) => call(fleet[number % 3], number)));
    const times = calls.map(({ at }) => at).sort((a, b) => a - b);
    expect(times).toHaveLength(18);
    for (const [index, time] of times.slice(5).entries())
      expect(time - (times[index] ?? 0)).toBeGreaterThan(990);
    // Nor fewer: eighteen calls at five a second.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeLessThan(4500);
  });

  it('counts a call until a second after its answer', async () => {
    const fleet = await startMany(2, { qps: 1 });
    answer = async () => {
      await sleep(500);
      return page;
    };
    await Promise.all([call(fleet[0]), call(fleet[1])]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(1490);
  });

  it('counts a call that waits for its own turn after it was reserved, and a dead replica not for long', async () => {
    const [first, second] = await startMany(2, { qps: 1, attemptMs: 200 });
    answer = async () => page;
    const source: PageSource = async (_key, { onRequest }) => {
      await sleep(1800);
      onRequest();
      calls.push({ at: performance.now(), replica: 2 });
      return new Promise(() => undefined);
    };
    const slow = await startReplica({ url: redis.url, source, qps: 1, attemptMs: 200 });
    replicas.push(slow);
    void call(slow);
    await sleep(50);
    expect(await call(first, 2)).toBe('ok');
    // Its call left at last, and may have taken 200 ms.
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(1000);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeLessThan(2000);
    expect(calls[0]?.replica).toBe(2);
    expect(second?.link.isUp()).toBe(true);
  });

  it('refuses a call whose turn would not come before its deadline', async () => {
    const fleet = await startMany(2, { qps: 1 });
    await call(fleet[0]);
    const deadlineAt = performance.now() + 300;
    const refused = codeOf(
      fleet[1]?.fetch(key(2), fetchOptions({ deadline: () => deadlineAt })) ?? Promise.resolve(),
    );
    expect(await refused).toBe('UPSTREAM_UNAVAILABLE');
    expect(performance.now()).toBeLessThan(deadlineAt + 50);
    expect(calls).toHaveLength(1);
  });

  it.each(REFUSALS)('holds the calls of all replicas after %s', async (code, retryAfterSeconds) => {
    const fleet = await startMany(3);
    answer = async () => {
      const upstream = { status: 402, code: 402, requestId: 'r1' };
      throw new ApiError(code, { retryAfterSeconds, upstream, detail: 'for the log alone' });
    };
    await call(fleet[0]);
    const error = await fleet[1]?.fetch(key(2), fetchOptions()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      retryAfterSeconds,
      upstream: { requestId: 'r1' },
      detail: undefined,
    });
    expect(await call(fleet[2])).toBe(code);
    expect(calls).toHaveLength(1);
    expect(fleet.map(({ events }) => events.filter(({ type }) => type === 'circuitOpened').length)).toEqual([
      1, 1, 1,
    ]);
  });

  it('lets one replica probe when the time has come, and all go on when it succeeds', async () => {
    const fleet = await startMany(3);
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(fleet[0]);
    await sleep(1050);
    answer = async () => {
      await sleep(200);
      return page;
    };
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(['ok', 'ok', 'ok']);
    const [, probe, ...others] = calls;
    for (const { at } of others) expect(at - (probe?.at ?? 0)).toBeGreaterThan(190);
  });

  it('holds all calls again when the probe fails', async () => {
    const fleet = await startMany(3);
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(fleet[0]);
    await sleep(1050);
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(fleet.map(() => 'UPSTREAM_RATE_LIMITED'));
    expect(calls).toHaveLength(2);
  });

  it('lets another replica probe when the one that did is gone', async () => {
    const fleet = await startMany(2, { attemptMs: 300 });
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(fleet[0]);
    await sleep(1050);
    answer = async () => page;
    await redis.client.hset('test:circuit', 'probe', 'of one that is gone', 'probeUntil', Date.now() + 400);
    expect(await call(fleet[1])).toBe('ok');
  });

  it('lets another one probe at once when a probe was not made after all', async () => {
    const [first, second] = await startMany(2);
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await sleep(1050);
    answer = async () => page;
    let checks = 0;
    const stop = (): never => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    await codeOf(
      first?.fetch(key(1), fetchOptions({ check: () => void (++checks > 1 && stop()) })) ?? Promise.resolve(),
    );
    expect(checks).toBe(2);
    const startedAt = performance.now();
    expect(await call(second)).toBe('ok');
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('counts failures in a row over all replicas', async () => {
    const fleet = await startMany(4);
    answer = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    const outcomes: string[] = [];
    for (const number of range(0, 7)) outcomes.push(await call(fleet[number % 4], number + 1));
    expect(calls).toHaveLength(5);
    expect(outcomes.slice(5)).toEqual(range(1, 3).map(() => 'UPSTREAM_UNAVAILABLE'));
    const opened = fleet.flatMap(({ events }) => events.filter(({ type }) => type === 'circuitOpened'));
    expect(opened[0]).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', seconds: 30 });
  });

  it('begins to count anew after any answer', async () => {
    const fleet = await startMany(2);
    for (const number of range(1, 12)) {
      answer = async () => {
        if (number % 4 > 0) throw new ApiError('UPSTREAM_ERROR');
        return page;
      };
      await call(fleet[number % 2], number);
    }
    expect(calls).toHaveLength(12);
  });

  it('spends no more than the budget of all replicas, to the last credit', async () => {
    const fleet = await startMany(3, { creditsPerDay: 20 });
    await openPurse();
    const outcomes = await Promise.all(range(1, 30).map((number) => call(fleet[number % 3], number)));
    expect(calls).toHaveLength(10);
    expect(outcomes.filter((code) => code === 'CREDIT_BUDGET_EXHAUSTED')).toHaveLength(20);
    const refused = await fleet[0]?.fetch(key(1), fetchOptions()).catch((error: unknown) => error);
    const left = (refused as ApiError).retryAfterSeconds ?? 0;
    const now = systemClock.now();
    expect(Math.abs(now + left * 1000 - Math.ceil(now / 86_400_000) * 86_400_000)).toBeLessThan(2000);
  });

  it('gives back what was reserved for a call that was not made', async () => {
    const [first, second] = await startMany(2, { creditsPerDay: 2 });
    await openPurse();
    const stop = (): never => {
      throw new ApiError('UPSTREAM_UNAVAILABLE');
    };
    let checks = 0;
    const outcome = first?.fetch(key(1), fetchOptions({ check: () => void (++checks > 1 && stop()) }));
    expect(await codeOf(outcome ?? Promise.resolve())).toBe('UPSTREAM_UNAVAILABLE');
    expect(await call(second)).toBe('ok');
    expect(calls).toHaveLength(1);
  });

  it('begins a new day with a full purse', async () => {
    const [replica] = await startMany(1, { creditsPerDay: 2 });
    const yesterday = Math.floor(Date.now() / 86_400_000) - 1;
    await redis.client.hset('test:budget', 'day', yesterday, 'spent', 2, 'openAt', 0);
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it('spends nothing after Redis has lost the record until the replicas have said what they know', async () => {
    const fleet = await startMany(3, { creditsPerDay: 8 });
    await openPurse();
    for (const number of range(1, 3)) await call(fleet[0], number);
    await redis.client.flushall();
    // The second one has not spent anything; the first one knows better.
    const startedAt = performance.now();
    expect(await call(fleet[1], 4)).toBe('ok');
    expect(performance.now() - startedAt).toBeGreaterThan(1500);
    expect(await call(fleet[2], 5)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(4);
  });

  it('remembers over a restart of Redis and its replicas what was written down', async () => {
    const today = Math.floor(Date.now() / 86_400_000);
    const [replica] = await startMany(1, { creditsPerDay: 6, spent: { day: today, credits: 4 } });
    await openPurse();
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it.each(['day', 'spent', 'openAt'])(
    'takes a record whose %s cannot be read for none at all',
    async (field) => {
      const [replica] = await startMany(1, { creditsPerDay: 6 });
      await openPurse();
      for (const number of range(1, 3)) await call(replica, number);
      await redis.client.hset('test:budget', 'spent', 0, field, 'garbage');
      expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
      expect(calls).toHaveLength(3);
    },
  );

  it('is not told of a new day by a replica whose clock is ahead, nor by Redis alone', async () => {
    const [replica] = await startMany(1, { creditsPerDay: 2 });
    await openPurse();
    expect(await call(replica)).toBe('ok');
    const tomorrow = { ...systemClock, now: () => Date.now() + 86_400_000 };
    await start({ creditsPerDay: 2, clock: tomorrow });
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    const yesterday = { ...systemClock, now: () => Date.now() - 86_400_000 };
    const late = await start({ creditsPerDay: 2, clock: yesterday });
    const day = Math.floor(Date.now() / 86_400_000) - 1;
    await redis.client.hset('test:budget', 'day', day, 'spent', 2);
    expect(await call(late)).toBe('CREDIT_BUDGET_EXHAUSTED');
  });

  it('does not believe a Redis that knows of less than it did before the connection broke', async () => {
    const [replica] = await startMany(1, { creditsPerDay: 6 });
    await openPurse();
    for (const number of range(1, 3)) await call(replica, number);
    // What a copy that lagged behind would have.
    await redis.client.hset('test:budget', 'spent', 2);
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await sleep(1200);
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(3);
  });

  it('says so when the budget is unknown for longer than a call may wait', async () => {
    const [replica] = await startMany(1, { creditsPerDay: 6 });
    const deadlineAt = performance.now() + 300;
    const error = await replica
      ?.fetch(key(1), fetchOptions({ deadline: () => deadlineAt }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CREDIT_BUDGET_EXHAUSTED',
      message: expect.stringMatching(/cannot reserve/),
    });
    expect(calls).toEqual([]);
  });

  it('stops calls that wait for their connection when upstream refuses all', async () => {
    const sent: number[] = [];
    const source: PageSource = async ({ number }, { check, onRequest }) => {
      // The first one has its connection at once, the others take longer to open theirs.
      await sleep(number === 1 ? 0 : 200);
      check();
      onRequest();
      sent.push(number);
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    const replica = await startReplica({ url: redis.url, source });
    replicas.push(replica);
    const outcomes = await Promise.all(range(1, 4).map((number) => call(replica, number)));
    expect(outcomes).toEqual(range(1, 4).map(() => 'UPSTREAM_RATE_LIMITED'));
    expect(sent).toEqual([1]);
  });

  it.each([
    ['was learnt while Redis was away', () => redis.kill(), () => redis.start()],
    ['Redis has forgotten', () => undefined, () => redis.client.flushall()],
  ])('tells the others of a pause that %s', async (_what, before, after) => {
    const [first] = await startMany(1);
    await before();
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    if (!redis.client.status.startsWith('ready')) await sleep(600);
    expect(await call(first)).toBe('UPSTREAM_RATE_LIMITED');
    await after();
    await sleep(1200);
    answer = async () => page;
    const second = await start();
    expect([await call(first), await call(second)]).toEqual([
      'UPSTREAM_RATE_LIMITED',
      'UPSTREAM_RATE_LIMITED',
    ]);
    expect(calls).toHaveLength(1);
  });

  it('remembers a pause that Redis could not be told of', async () => {
    const [replica] = await startMany(1);
    answer = async () => {
      await redis.kill();
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    await call(replica);
    expect(await call(replica, 2)).toBe('UPSTREAM_RATE_LIMITED');
    expect(calls).toHaveLength(1);
    await redis.start();
  });

  it('makes no paid call while Redis is away, when there is a budget', async () => {
    const [replica] = await startMany(1, { creditsPerDay: 100 });
    await openPurse();
    await redis.kill();
    const error = await replica?.fetch(key(1), fetchOptions()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CREDIT_BUDGET_EXHAUSTED', retryAfterSeconds: 5 });
    expect(calls).toEqual([]);
    await redis.start();
  });

  it('goes on while Redis is away, when there is none, but not against a 429 that was known', async () => {
    const [first, second] = await startMany(2);
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 2 });
    };
    await call(first);
    // The second one hears of it with a beat.
    await sleep(700);
    await redis.kill();
    answer = async () => page;
    expect(await call(second)).toBe('UPSTREAM_RATE_LIMITED');
    await sleep(1400);
    expect([await call(first), await call(second)]).toEqual(['ok', 'ok']);
    expect(calls).toHaveLength(3);
    await redis.start();
  });
});
