import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { PageSource } from '../../../src/domain/page.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { fetchOptions } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { codeOf, key, page } from '../../support/sources.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis, timeOf } from '../support/redis.ts';
import { type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const REFUSALS = [
  ['UPSTREAM_UNAUTHENTICATED', undefined],
  ['UPSTREAM_QUOTA_EXCEEDED', undefined],
  ['UPSTREAM_FORBIDDEN', undefined],
  ['UPSTREAM_RATE_LIMITED', 60],
] as const;

/** How long a call counts after its answer. */
const WINDOW_MS = 1010;

let redis: TestRedis;
let replicas: TestReplica[];
/** When each call was made, and by whom. */
let calls: { at: number; replica: number }[];
/** How many calls had their turn, whether or not they were made. */
let turns: number;
let answer: PageSource;

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const index = replicas.length;
  const source: PageSource = async (pageKey, options) => {
    turns++;
    options.check();
    // Before Redis is told: it counts from later on.
    calls.push({ at: performance.now(), replica: index });
    options.onRequest();
    return answer(pageKey, options);
  };
  // Held before it is there, so that each has its own number.
  const starting = startReplica({ url: redis.url, source, ...options });
  replicas.push(undefined as unknown as TestReplica);
  const replica = await starting;
  replicas[index] = replica;
  return replica;
}

function startTwo(options: Partial<ReplicaOptions> = {}): Promise<[TestReplica, TestReplica]> {
  return Promise.all([start(options), start(options)]);
}

function startThree(options: Partial<ReplicaOptions> = {}): Promise<[TestReplica, TestReplica, TestReplica]> {
  return Promise.all([start(options), start(options), start(options)]);
}

/** A call by this replica, as its code. */
function call(replica: TestReplica | undefined, number = 1): Promise<string> {
  if (!replica) throw new Error('no such replica');
  return codeOf(replica.fetch(key(number), fetchOptions()));
}

/** A call by this replica that is given up when it has its turn, as its code. */
async function callInVain(replica: TestReplica): Promise<string> {
  const before = turns;
  const check = (): void => {
    if (turns > before) throw new ApiError('UPSTREAM_UNAVAILABLE');
  };
  return codeOf(replica.fetch(key(1), fetchOptions({ check })));
}

/** Waits until these replicas know that the time of a probe has come. */
async function awaitProbeTime(...waiting: TestReplica[]): Promise<void> {
  for (const replica of waiting) {
    await poll(async () => (await callInVain(replica)) === 'UPSTREAM_UNAVAILABLE');
  }
}

/** Waits until Redis has executed what the replica has told it so far: it answers in order. */
async function settle(replica: TestReplica): Promise<void> {
  await replica.redis.read(['nothing']);
}

/** For how long each call counts still, in milliseconds. */
async function lives(): Promise<number[]> {
  const scores = (await redis.client.zrange('test:calls', 0, -1, 'WITHSCORES')).filter(
    (_, index) => index % 2,
  );
  const now = await timeOf(redis);
  return scores.map((score) => Number(score) - now);
}

/** Waits until the replicas may spend: what an empty Redis has forgotten is told by then. */
async function openPurse(): Promise<void> {
  await redis.client.hset('test:budget', 'openAt', 0);
}

describeWithRedis('withSharedLimits', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    calls = [];
    turns = 0;
    answer = async () => page;
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('makes no more calls in any second than are allowed to all replicas together', async () => {
    const fleet = await startThree({ qps: 5 });
    answer = async () => {
      // Nor fewer: so many are under way at once.
      await poll(() => calls.length >= 5);
      return page;
    };
    await Promise.all(range(1, 13).map((number) => call(fleet[number % 3], number)));
    const times = calls.map(({ at }) => at).sort((a, b) => a - b);
    expect(times).toHaveLength(13);
    // However slow the machine is: each counts until a second after Redis was told of its answer.
    for (const [index, time] of times.slice(5).entries())
      expect(time - (times[index] ?? 0)).toBeGreaterThan(990);
    // And no longer.
    await Promise.all(fleet.map(settle));
    expect(Math.max(...(await lives()))).toBeLessThanOrEqual(WINDOW_MS);
  });

  it('counts a call until a second after its answer', async () => {
    const fleet = await startTwo({ qps: 1 });
    let answeredAt = 0;
    answer = async () => {
      if (calls.length > 1) return page;
      await poll(() => replicas.some(({ waits }) => waits() > 0));
      answeredAt = performance.now();
      return page;
    };
    await Promise.all([call(fleet[0]), call(fleet[1])]);
    expect((calls[1]?.at ?? 0) - answeredAt).toBeGreaterThan(990);
  });

  it('counts a call that waits for its own turn after it was reserved, and a dead replica not for long', async () => {
    const attemptMs = 500;
    const [first, second] = await startTwo({ qps: 1, attemptMs });
    let isReserved = false;
    let leave = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const source: PageSource = async (_key, { onRequest }) => {
      isReserved = true;
      await turn;
      calls.push({ at: performance.now(), replica: 2 });
      onRequest();
      return new Promise(() => undefined);
    };
    const slow = await startReplica({ url: redis.url, source, qps: 1, attemptMs });
    replicas.push(slow);
    void call(slow);
    await poll(() => isReserved);
    const waiting = call(first, 2);
    await poll(() => first.waits() > 0);
    // For longer than a call counts that has left.
    expect(Math.min(...(await lives()))).toBeGreaterThan(attemptMs + WINDOW_MS);
    expect(calls).toEqual([]);
    leave();
    // Its call left at last, and may have taken half a second.
    await poll(() => calls.length > 0);
    await settle(slow);
    expect(Math.max(...(await lives()))).toBeLessThanOrEqual(attemptMs + WINDOW_MS);
    expect(await waiting).toBe('ok');
    expect(calls.map(({ replica }) => replica)).toEqual([2, 0]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(1000);
    expect(second.redis.isUp()).toBe(true);
  });

  it('refuses a call whose turn would not come before its deadline', async () => {
    const [first, second] = await startTwo({ qps: 1, attemptMs: 60_000 });
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    answer = async () => {
      await ended;
      return page;
    };
    const calling = call(first);
    await poll(() => calls.length === 1);
    const deadlineAt = performance.now() + 100;
    const refused = codeOf(second.fetch(key(2), fetchOptions({ deadline: () => deadlineAt })));
    // While it is not its turn.
    expect(await refused).toBe('UPSTREAM_UNAVAILABLE');
    end();
    expect(await calling).toBe('ok');
    expect(calls).toHaveLength(1);
  });

  it.each(REFUSALS)('holds the calls of all replicas after %s', async (code, retryAfterSeconds) => {
    const fleet = await startThree();
    answer = async () => {
      const upstream = { status: 402, code: 402, requestId: 'r1' };
      throw new ApiError(code, { retryAfterSeconds, upstream, detail: 'for the log alone' });
    };
    await call(fleet[0]);
    const error = await fleet[1].fetch(key(2), fetchOptions()).catch((thrown: unknown) => thrown);
    const until = Number(await redis.client.hget('test:circuit', 'until'));
    const least = secondsLeft(until, await timeOf(redis));
    expect(error).toMatchObject({ code, upstream: { requestId: 'r1' }, detail: undefined });
    const told = (error as ApiError).retryAfterSeconds;
    if (retryAfterSeconds === undefined) expect(told).toBeUndefined();
    else expect(range(least, retryAfterSeconds)).toContain(told);
    expect(await call(fleet[2])).toBe(code);
    expect(calls).toHaveLength(1);
    expect(fleet.map(({ events }) => events.filter(({ type }) => type === 'circuitOpened').length)).toEqual([
      1, 1, 1,
    ]);
  });

  it('lets one replica probe when the time has come, and all go on when it succeeds', async () => {
    const fleet = await startThree();
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(fleet[0]);
    await awaitProbeTime(...fleet);
    const waits = fleet.map((replica) => replica.waits());
    let callsBefore = 0;
    answer = async () => {
      if (calls.length > 2) return page;
      // The other two have asked whether they may go on.
      await poll(() => fleet.filter((replica, index) => replica.waits() > (waits[index] ?? 0)).length === 2);
      callsBefore = calls.length;
      return page;
    };
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(['ok', 'ok', 'ok']);
    // The refused one and the probe.
    expect(callsBefore).toBe(2);
    expect(calls).toHaveLength(4);
  });

  it('holds all calls again when the probe fails', async () => {
    const fleet = await startThree();
    const retryAfterSeconds = [1, 60];
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: retryAfterSeconds.shift() });
    };
    await call(fleet[0]);
    await awaitProbeTime(...fleet);
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(fleet.map(() => 'UPSTREAM_RATE_LIMITED'));
    expect(calls).toHaveLength(2);
  });

  it('lets another replica probe when the one that did is gone', async () => {
    const [first, second] = await startTwo({ attemptMs: 300 });
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await awaitProbeTime(second);
    answer = async () => page;
    await redis.client.hset('test:circuit', 'probe', 'of one that is gone', 'probeUntil', Date.now() + 400);
    expect(await call(second)).toBe('ok');
  });

  it('lets another one probe at once when a probe was not made after all', async () => {
    const [first, second] = await startTwo();
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await awaitProbeTime(first, second);
    answer = async () => page;
    expect(await callInVain(first)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await call(second)).toBe('ok');
    expect([first.waits(), second.waits()]).toEqual([0, 0]);
  });

  it('counts failures in a row over all replicas', async () => {
    const fleet = await Promise.all(range(1, 4).map(() => start()));
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
    const fleet = await startTwo();
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
    const fleet = await startThree({ creditsPerDay: 20 });
    await openPurse();
    const outcomes = await Promise.all(range(1, 30).map((number) => call(fleet[number % 3], number)));
    expect(calls).toHaveLength(10);
    expect(outcomes.filter((code) => code === 'CREDIT_BUDGET_EXHAUSTED')).toHaveLength(20);
    const midnight = (Math.floor((await timeOf(redis)) / DAY_MS) + 1) * DAY_MS;
    const most = secondsLeft(midnight, Math.floor(await timeOf(redis)));
    const refused = await fleet[0].fetch(key(1), fetchOptions()).catch((error: unknown) => error);
    const least = secondsLeft(midnight, await timeOf(redis));
    expect(range(least, most)).toContain((refused as ApiError).retryAfterSeconds);
  });

  it('gives back what was reserved for a call that was not made', async () => {
    const [first, second] = await startTwo({ creditsPerDay: 2 });
    await openPurse();
    expect(await callInVain(first)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await call(second)).toBe('ok');
    expect(calls).toHaveLength(1);
  });

  it('begins a new day with a full purse', async () => {
    const replica = await start({ creditsPerDay: 2 });
    const yesterday = Math.floor(Date.now() / DAY_MS) - 1;
    await redis.client.hset('test:budget', 'day', yesterday, 'spent', 2, 'openAt', 0);
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it('spends nothing after Redis has lost the record until the replicas have said what they know', async () => {
    const fleet = await startThree({ creditsPerDay: 8 });
    await openPurse();
    for (const number of range(1, 3)) await call(fleet[0], number);
    await redis.client.flushall();
    // The second one has not spent anything; the first one knows better.
    let known: string | null = null;
    answer = async () => {
      known ??= await redis.client.hget('test:budget', 'spent');
      return page;
    };
    expect(await call(fleet[1], 4)).toBe('ok');
    expect(fleet[1].waits()).toBeGreaterThan(0);
    expect(known).toBe('8');
    expect(await call(fleet[2], 5)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(4);
  });

  it('remembers over a restart of Redis and its replicas what was written down', async () => {
    const today = Math.floor(Date.now() / DAY_MS);
    const replica = await start({ creditsPerDay: 6, spent: { day: today, credits: 4 } });
    await openPurse();
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it.each(['day', 'spent', 'openAt'])(
    'takes a record whose %s cannot be read for none at all',
    async (field) => {
      const replica = await start({ creditsPerDay: 6 });
      await openPurse();
      for (const number of range(1, 3)) await call(replica, number);
      await redis.client.hset('test:budget', 'spent', 0, field, 'garbage');
      expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
      expect(calls).toHaveLength(3);
    },
  );

  it('is not told of a new day by a replica whose clock is ahead, nor by Redis alone', async () => {
    const replica = await start({ creditsPerDay: 2 });
    await openPurse();
    expect(await call(replica)).toBe('ok');
    const tomorrow = { ...systemClock, now: () => Date.now() + DAY_MS };
    await start({ creditsPerDay: 2, clock: tomorrow });
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    const yesterday = { ...systemClock, now: () => Date.now() - DAY_MS };
    const late = await start({ creditsPerDay: 2, clock: yesterday });
    const day = Math.floor(Date.now() / DAY_MS) - 1;
    await redis.client.hset('test:budget', 'day', day, 'spent', 2);
    expect(await call(late)).toBe('CREDIT_BUDGET_EXHAUSTED');
  });

  it('does not believe a Redis that knows of less than it did before the connection broke', async () => {
    const replica = await start({ creditsPerDay: 6 });
    await openPurse();
    for (const number of range(1, 3)) await call(replica, number);
    // What a copy that lagged behind would have; at once, or a beat might come between.
    await redis.client
      .multi()
      .hset('test:budget', 'spent', 2)
      .call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      .exec();
    await poll(() => replica.events.filter(({ type }) => type === 'redisUp').length > 1);
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(3);
  });

  it('says so when the budget is unknown for longer than a call may wait', async () => {
    const replica = await start({ creditsPerDay: 6 });
    // From now on: it is held for two seconds from when that is found.
    await redis.client.hset('test:budget', 'openAt', 'unknown');
    const deadlineAt = performance.now() + 100;
    const error = await replica
      .fetch(key(1), fetchOptions({ deadline: () => deadlineAt }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CREDIT_BUDGET_EXHAUSTED',
      message: expect.stringMatching(/cannot reserve/),
    });
    expect(calls).toEqual([]);
  });

  it('stops calls that wait for their connection when upstream refuses all', async () => {
    const sent: number[] = [];
    let connecting = 0;
    let connect = (): void => undefined;
    const connected = new Promise<void>((resolve) => {
      connect = resolve;
    });
    const source: PageSource = async ({ number }, { check, onRequest }) => {
      // The first one has its connection at once, the others open theirs meanwhile.
      if (number === 1) await poll(() => connecting === 3);
      else {
        connecting++;
        await connected;
      }
      check();
      onRequest();
      sent.push(number);
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    const replica = await startReplica({ url: redis.url, source });
    replicas.push(replica);
    const outcomes = range(1, 4).map((number) => call(replica, number));
    await outcomes[0];
    connect();
    expect(await Promise.all(outcomes)).toEqual(range(1, 4).map(() => 'UPSTREAM_RATE_LIMITED'));
    expect(sent).toEqual([1]);
  });

  it.each([
    ['was learnt while Redis was away', () => redis.kill(), () => redis.start()],
    ['Redis has forgotten', () => undefined, () => redis.client.flushall()],
  ])('tells the others of a pause that %s', async (_what, before, after) => {
    const first = await start();
    await before();
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    if (!redis.client.status.startsWith('ready')) await poll(() => !first.redis.isUp());
    expect(await call(first)).toBe('UPSTREAM_RATE_LIMITED');
    await after();
    await poll(async () => (await redis.client.hexists('test:circuit', 'error')) === 1);
    answer = async () => page;
    const second = await start();
    expect([await call(first), await call(second)]).toEqual([
      'UPSTREAM_RATE_LIMITED',
      'UPSTREAM_RATE_LIMITED',
    ]);
    expect(calls).toHaveLength(1);
  });

  it('remembers a pause that Redis could not be told of', async () => {
    const replica = await start();
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
    const replica = await start({ creditsPerDay: 100 });
    await openPurse();
    await redis.kill();
    const error = await replica.fetch(key(1), fetchOptions()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CREDIT_BUDGET_EXHAUSTED', retryAfterSeconds: 5 });
    expect(calls).toEqual([]);
    await redis.start();
  });

  it('goes on while Redis is away, when there is none, but not against a 429 that was known', async () => {
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const [first, second] = await startTwo({ clock });
    answer = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    await call(first);
    // The second one hears of it with a beat.
    await poll(() => second.events.some(({ type }) => type === 'circuitOpened'));
    await redis.kill();
    answer = async () => page;
    expect(await call(second)).toBe('UPSTREAM_RATE_LIMITED');
    laterMs = 60_000;
    expect([await call(first), await call(second)]).toEqual(['ok', 'ok']);
    expect(calls).toHaveLength(3);
    await redis.start();
  });
});

/** The whole seconds from `now` until then, the last one too. */
function secondsLeft(until: number, now: number): number {
  return Math.ceil((until - now) / 1000);
}
