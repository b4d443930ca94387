import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { createCall } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { codeOf, key, type PageSource, page, withSentErrors } from '../../support/sources.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis, timeOf } from '../support/redis.ts';
import { type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const REFUSALS = [
  ['UPSTREAM_UNAUTHENTICATED', undefined],
  ['UPSTREAM_QUOTA_EXCEEDED', undefined],
  ['UPSTREAM_FORBIDDEN', undefined],
  ['UPSTREAM_RATE_LIMITED', 60],
] as const;

/** A failing endpoint that asks for a pause. */
const BUSY = new ApiError('UPSTREAM_ERROR', {
  upstream: { status: 503, code: null, requestId: null },
  retryAfterSeconds: 60,
});
const ENDPOINT_CIRCUIT = 'test:circuit:trendingVideos';

/** How long a call counts after its response. */
const WINDOW_MS = 1010;

let redis: TestRedis;
let replicas: TestReplica[];
/** When each call was made, and by which replica. */
let calls: { at: number; replica: number }[];
/** Called when a call has its turn. */
let onTurn: () => void;
/** How upstream responds. */
let respond: PageSource;

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const index = replicas.length;
  const source: PageSource = async (pageKey, options) => {
    onTurn();
    options.signal?.throwIfAborted();
    // Recorded before it is reported: Redis counts from a later moment.
    calls.push({ at: performance.now(), replica: index });
    options.onSent();
    return respond(pageKey, options);
  };
  // Its place is taken before it has started, so that each replica has its own index.
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

/** Makes a call by this replica; returns `ok` or the code of its error. */
function call(replica: TestReplica | undefined, number = 1): Promise<string> {
  if (!replica) throw new Error('no such replica');
  return codeOf(replica.fetch(key(number), createCall()));
}

/** Makes a call that is given up when it has its turn; returns the code of its error. */
async function callWithoutSending(replica: TestReplica): Promise<string> {
  const controller = new AbortController();
  onTurn = () => controller.abort(new ApiError('UPSTREAM_UNAVAILABLE'));
  const outcome = await codeOf(replica.fetch(key(1), createCall({ signal: controller.signal })));
  onTurn = () => undefined;
  return outcome;
}

/** Waits until these replicas know that a probe is due. */
async function awaitProbeTime(...waiting: TestReplica[]): Promise<void> {
  for (const replica of waiting) {
    await poll(async () => (await callWithoutSending(replica)) === 'UPSTREAM_UNAVAILABLE');
  }
}

/** Waits until Redis has executed all commands that the replica has sent so far: it executes them in order. */
async function settle(replica: TestReplica): Promise<void> {
  await replica.redis.read(['nothing']);
}

/** How long each call still counts, in milliseconds. */
async function remainingMs(): Promise<number[]> {
  const scores = (await redis.client.zrange('test:calls', 0, -1, 'WITHSCORES')).filter(
    (_, index) => index % 2,
  );
  const now = await timeOf(redis);
  return scores.map((score) => Number(score) - now);
}

/** Allows spending at once: with an empty Redis, replicas wait until all have reported what they spent. */
async function openBudget(): Promise<void> {
  await redis.client.hset('test:budget', 'openAt', 0);
}

describeWithRedis('createSharedLimits', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    calls = [];
    onTurn = () => undefined;
    respond = async () => page;
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('makes no more calls in any second than all replicas together may make', async () => {
    const fleet = await startThree({ qps: 5 });
    respond = async () => {
      // Nor fewer: five are in flight at once.
      await poll(() => calls.length >= 5);
      return page;
    };
    await Promise.all(range(1, 13).map((number) => call(fleet[number % 3], number)));
    const times = calls.map(({ at }) => at).sort((a, b) => a - b);
    expect(times).toHaveLength(13);
    // Also on a slow machine: a call counts until a second after its response was reported to Redis.
    for (const [index, time] of times.slice(5).entries())
      expect(time - (times[index] ?? 0)).toBeGreaterThan(990);
    // And no longer.
    await Promise.all(fleet.map(settle));
    expect(Math.max(...(await remainingMs()))).toBeLessThanOrEqual(WINDOW_MS);
  });

  it('counts a call until a second after its response', async () => {
    const fleet = await startTwo({ qps: 1 });
    let respondedAt = 0;
    respond = async () => {
      if (calls.length > 1) return page;
      await poll(() => replicas.some(({ waits }) => waits() > 0));
      respondedAt = performance.now();
      return page;
    };
    await Promise.all([call(fleet[0]), call(fleet[1])]);
    expect((calls[1]?.at ?? 0) - respondedAt).toBeGreaterThan(990);
  });

  it('counts a reserved call until it is sent, and then no longer than one attempt may take', async () => {
    const attemptMs = 500;
    const [first, second] = await startTwo({ qps: 1, attemptMs });
    let isReserved = false;
    let send = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      send = resolve;
    });
    const source: PageSource = async (_key, { onSent }) => {
      isReserved = true;
      await turn;
      calls.push({ at: performance.now(), replica: 2 });
      onSent();
      return new Promise(() => undefined);
    };
    const slow = await startReplica({ url: redis.url, source, qps: 1, attemptMs });
    replicas.push(slow);
    void call(slow);
    await poll(() => isReserved);
    const waiting = call(first, 2);
    await poll(() => first.waits() > 0);
    // Longer than a sent call counts.
    expect(Math.min(...(await remainingMs()))).toBeGreaterThan(attemptMs + WINDOW_MS);
    expect(calls).toEqual([]);
    send();
    // The call has been sent at last, and may take half a second.
    await poll(() => calls.length > 0);
    await settle(slow);
    expect(Math.max(...(await remainingMs()))).toBeLessThanOrEqual(attemptMs + WINDOW_MS);
    expect(await waiting).toBe('ok');
    expect(calls.map(({ replica }) => replica)).toEqual([2, 0]);
    expect((calls[1]?.at ?? 0) - (calls[0]?.at ?? 0)).toBeGreaterThan(1000);
    expect(second.redis.isUp()).toBe(true);
  });

  it('rejects a call whose turn would come after its deadline', async () => {
    const [first, second] = await startTwo({ qps: 1, attemptMs: 60_000 });
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    respond = async () => {
      await ended;
      return page;
    };
    const calling = call(first);
    await poll(() => calls.length === 1);
    const deadlineAt = performance.now() + 100;
    const rejected = codeOf(second.fetch(key(2), createCall({ deadline: () => deadlineAt })));
    // Rejected before its turn.
    expect(await rejected).toBe('UPSTREAM_UNAVAILABLE');
    end();
    expect(await calling).toBe('ok');
    expect(calls).toHaveLength(1);
  });

  it.each(REFUSALS)('stops the calls of all replicas after %s', async (code, retryAfterSeconds) => {
    const fleet = await startThree();
    respond = async () => {
      const upstream = { status: 402, code: 402, requestId: 'r1' };
      throw new ApiError(code, { retryAfterSeconds, upstream, detail: 'for the log alone' });
    };
    await call(fleet[0]);
    const error = await fleet[1].fetch(key(2), createCall()).catch((thrown: unknown) => thrown);
    const until = Number(await redis.client.hget('test:circuit', 'until'));
    const least = secondsLeft(until, await timeOf(redis));
    expect(error).toMatchObject({ code, upstream: { requestId: 'r1' }, detail: undefined });
    const actual = (error as ApiError).retryAfterSeconds;
    if (retryAfterSeconds === undefined) expect(actual).toBeUndefined();
    else expect(range(least, retryAfterSeconds)).toContain(actual);
    expect(await call(fleet[2])).toBe(code);
    expect(calls).toHaveLength(1);
    expect(fleet.map(({ events }) => events.filter(({ type }) => type === 'circuitOpened').length)).toEqual([
      1, 1, 1,
    ]);
  });

  it('lets one replica probe when a probe is due, and all make calls when it succeeds', async () => {
    const fleet = await startThree();
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(fleet[0]);
    await awaitProbeTime(...fleet);
    const waits = fleet.map((replica) => replica.waits());
    let callsBefore = 0;
    respond = async () => {
      if (calls.length > 2) return page;
      // The other two wait for the result of the probe.
      await poll(() => fleet.filter((replica, index) => replica.waits() > (waits[index] ?? 0)).length === 2);
      callsBefore = calls.length;
      return page;
    };
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(['ok', 'ok', 'ok']);
    // The refused call and the probe.
    expect(callsBefore).toBe(2);
    expect(calls).toHaveLength(4);
  });

  it('stops all calls again when the probe fails', async () => {
    const fleet = await startThree();
    const retryAfterSeconds = [1, 60];
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: retryAfterSeconds.shift() });
    };
    await call(fleet[0]);
    await awaitProbeTime(...fleet);
    const outcomes = await Promise.all(fleet.map((replica) => call(replica)));
    expect(outcomes).toEqual(fleet.map(() => 'UPSTREAM_RATE_LIMITED'));
    expect(calls).toHaveLength(2);
  });

  it('lets another replica probe when the one that probes is gone', async () => {
    const [first, second] = await startTwo({ attemptMs: 300 });
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await awaitProbeTime(second);
    respond = async () => page;
    await redis.client.hset('test:circuit', 'probe', 'of one that is gone', 'probeUntil', Date.now() + 400);
    expect(await call(second)).toBe('ok');
  });

  it('lets another replica probe at once when a probe was not sent', async () => {
    const [first, second] = await startTwo();
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await awaitProbeTime(first, second);
    respond = async () => page;
    expect(await callWithoutSending(first)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await call(second)).toBe('ok');
    expect([first.waits(), second.waits()]).toEqual([0, 0]);
  });

  it('counts consecutive failures over all replicas', async () => {
    const fleet = await Promise.all(range(1, 4).map(() => start()));
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    const outcomes: string[] = [];
    for (const number of range(0, 7)) outcomes.push(await call(fleet[number % 4], number + 1));
    expect(calls).toHaveLength(5);
    expect(outcomes.slice(5)).toEqual(range(1, 3).map(() => 'UPSTREAM_UNAVAILABLE'));
    const opened = fleet.flatMap(({ events }) => events.filter(({ type }) => type === 'circuitOpened'));
    expect(opened[0]).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', seconds: 30 });
  });

  it('resets the count of failures after a response', async () => {
    const fleet = await startTwo();
    for (const number of range(1, 12)) {
      respond = async () => {
        if (number % 4 > 0) throw new ApiError('UPSTREAM_ERROR');
        return page;
      };
      await call(fleet[number % 2], number);
    }
    expect(calls).toHaveLength(12);
  });

  it.each([
    ['UPSTREAM_QUOTA_EXCEEDED', 'UPSTREAM_QUOTA_EXCEEDED'],
    ['UPSTREAM_FORBIDDEN', 'ok'],
  ] as const)(
    'after %s lets the calls of all replicas to another endpoint end with %s',
    async (code, other) => {
      const [first, second] = await startTwo();
      const endpoint = { ...pageEndpoint, name: 'other' };
      const fetchOther = second.limits.protect(
        withSentErrors(async () => page),
        endpoint,
      );
      respond = async () => {
        throw new ApiError(code);
      };
      expect([await call(first), await call(second)]).toEqual([code, code]);
      expect(await codeOf(fetchOther(key(), createCall()))).toBe(other);
      expect(second.limits.openCircuits()).toMatchObject([{ code }]);
    },
  );

  it('lets a failing probe of the account stop the calls to its endpoint alone', async () => {
    const [first, second] = await startTwo();
    const fetchOther = second.limits.protect(
      withSentErrors(async () => page),
      { ...pageEndpoint, name: 'other' },
    );
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    await call(first);
    await awaitProbeTime(first, second);
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    expect([await call(first), await call(second)]).toEqual(['UPSTREAM_ERROR', 'UPSTREAM_UNAVAILABLE']);
    expect(await codeOf(fetchOther(key(), createCall()))).toBe('ok');
    expect(second.limits.openCircuits()).toEqual([
      { endpoint: 'trendingVideos', code: 'UPSTREAM_UNAVAILABLE' },
    ]);
  });

  it('doubles the pause of an endpoint with each refusal in a row, of whichever replica, up to its longest', async () => {
    const pauses = { codes: ['UPSTREAM_FORBIDDEN'], maxSeconds: 200 } as const;
    const endpoint = { ...pageEndpoint, name: 'other', pauses };
    const circuit = 'test:circuit:other';
    const refuse: PageSource = async (_key, { onSent }) => {
      onSent();
      // Until the other one is in flight too.
      await poll(() => sent === 2);
      throw new ApiError('UPSTREAM_FORBIDDEN');
    };
    let sent = 0;
    const countSent = { onSent: () => void sent++ };
    for (const seconds of [60, 120, 200, 200, 'ok', 60]) {
      // One that has not learned of the pause before.
      const replica = await start();
      const isRefused = seconds !== 'ok';
      const fetchOther = replica.limits.protect(
        withSentErrors(isRefused ? refuse : async () => page),
        endpoint,
      );
      const before = await timeOf(redis);
      sent = 0;
      // Two that are in flight together are one refusal; the second one is no probe.
      const first = codeOf(fetchOther(key(1), createCall(countSent)));
      if (isRefused) await poll(() => sent === 1);
      await settle(replica);
      await redis.client.hdel(circuit, 'probeUntil');
      const outcomes = await Promise.all([first, codeOf(fetchOther(key(2), createCall(countSent)))]);
      expect(new Set(outcomes)).toEqual(new Set([isRefused ? 'UPSTREAM_FORBIDDEN' : 'ok']));
      if (!isRefused) continue;
      const opened = replica.events.filter(({ type }) => type === 'circuitOpened');
      expect(opened).toEqual([
        { type: 'circuitOpened', endpoint: 'other', code: 'UPSTREAM_FORBIDDEN', seconds },
      ]);
      const until = Number(await redis.client.hget(circuit, 'until'));
      expect(until - before).toBeGreaterThanOrEqual(Number(seconds) * 1000 - 1);
      expect(until - (await timeOf(redis))).toBeLessThanOrEqual(Number(seconds) * 1000);
      expect(await redis.client.pttl(circuit)).toBeGreaterThan(Number(seconds) * 1000);
      // As if that time had passed.
      await redis.client.hset(circuit, 'until', 1);
    }
  });

  it('does not double the pause of the account', async () => {
    respond = async () => {
      throw new ApiError('UPSTREAM_QUOTA_EXCEEDED');
    };
    for (const number of range(1, 3)) {
      const replica = await start();
      expect(await call(replica, number)).toBe('UPSTREAM_QUOTA_EXCEEDED');
      const until = Number(await redis.client.hget('test:circuit', 'until'));
      expect(until - (await timeOf(redis))).toBeLessThanOrEqual(60_000);
      await redis.client.hset('test:circuit', 'until', 1);
    }
    expect(calls).toHaveLength(3);
  });

  it('makes the call to the endpoint of a higher priority first when several wait for the rate limit', async () => {
    const replica = await start({ qps: 1 });
    const fetchOther = replica.limits.protect(
      withSentErrors(async ({ number }, { onSent }) => {
        onSent();
        called.push(number);
        return page;
      }),
      { ...pageEndpoint, name: 'other', priority: pageEndpoint.priority - 1 },
    );
    const called: number[] = [];
    respond = async ({ number }) => {
      called.push(number);
      return page;
    };
    await call(replica, 1);
    const others = range(2, 4).map((number) => codeOf(fetchOther(key(number), createCall())));
    await poll(() => replica.waits() > 0);
    await call(replica, 5);
    expect(called).toEqual([1, 5]);
    await Promise.all(others);
    expect(called.slice(0, 2)).toEqual([1, 5]);
    expect(called).toHaveLength(5);
  });

  it('lets calls to other endpoints go on while one of a higher priority waits for a probe', async () => {
    const replica = await start();
    const fetchOther = replica.limits.protect(
      withSentErrors(async () => page),
      { ...pageEndpoint, name: 'other', priority: pageEndpoint.priority - 1 },
    );
    const probeUntil = Math.floor(await timeOf(redis)) + 60_000;
    await redis.client.hset(ENDPOINT_CIRCUIT, { until: 1, error: '{}', probe: 'of another', probeUntil });
    const controller = new AbortController();
    const waiting = codeOf(replica.fetch(key(1), createCall({ signal: controller.signal })));
    await poll(() => replica.waits() > 0);
    expect(await codeOf(fetchOther(key(2), createCall()))).toBe('ok');
    controller.abort(new ApiError('UPSTREAM_TIMEOUT'));
    expect(await waiting).toBe('UPSTREAM_TIMEOUT');
  });

  it('lets all replicas wait for the pause that a failing endpoint asks for', async () => {
    const [first, second] = await startTwo();
    const upstream = { status: 503, code: null, requestId: null };
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR', { upstream, retryAfterSeconds: 7 });
    };
    await call(first);
    await expect(second.fetch(key(2), createCall())).rejects.toMatchObject({
      code: 'UPSTREAM_ERROR',
      retryAfterSeconds: 7,
    });
    expect(calls).toHaveLength(1);
    expect(await redis.client.exists('test:circuit')).toBe(0);
    expect(first.limits.openCircuits()).toEqual([{ endpoint: 'trendingVideos', code: 'UPSTREAM_ERROR' }]);
  });

  it('counts failures after which the endpoint asks for a short pause', async () => {
    const upstream = { status: 503, code: null, requestId: null };
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR', { upstream, retryAfterSeconds: 1 });
    };
    for (const number of range(1, 5)) {
      // One that has not learned of the pause before.
      const replica = await start();
      const before = await timeOf(redis);
      expect(await call(replica, number)).toBe('UPSTREAM_ERROR');
      const until = Number(await redis.client.hget(ENDPOINT_CIRCUIT, 'until'));
      expect(until - before).toBeGreaterThanOrEqual(number < 5 ? 999 : 29_999);
      expect(until - (await timeOf(redis))).toBeLessThanOrEqual(number < 5 ? 1000 : 30_000);
      // As if that time had passed.
      await redis.client.hset(ENDPOINT_CIRCUIT, 'until', 1);
    }
    // The probe of a failing endpoint opens the circuit at once.
    await call(await start(), 6);
    expect(await redis.client.hget(ENDPOINT_CIRCUIT, 'error')).toContain('UPSTREAM_UNAVAILABLE');
    expect(calls).toHaveLength(6);
  });

  it('lets a probe that finds the account refused say nothing about the endpoint', async () => {
    const [first, second] = await startTwo();
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    for (const number of range(1, 5)) await call(first, number);
    expect(second.limits.openCircuits()).toEqual([]);
    // A probe is due.
    await redis.client.hset('test:circuit:trendingVideos', 'until', Math.floor(await timeOf(redis)));
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    };
    expect(await call(second)).toBe('UPSTREAM_RATE_LIMITED');
    await awaitProbeTime(second);
    respond = async () => page;
    expect([await call(second), await call(second)]).toEqual(['ok', 'ok']);
    expect(await redis.client.exists('test:circuit', 'test:circuit:trendingVideos')).toBe(0);
  });

  it('spends the budget of all replicas to the last credit, and no more', async () => {
    const fleet = await startThree({ creditsPerDay: 20 });
    await openBudget();
    const outcomes = await Promise.all(range(1, 30).map((number) => call(fleet[number % 3], number)));
    expect(calls).toHaveLength(10);
    expect(outcomes.filter((code) => code === 'CREDIT_BUDGET_EXHAUSTED')).toHaveLength(20);
    const midnight = (Math.floor((await timeOf(redis)) / DAY_MS) + 1) * DAY_MS;
    const most = secondsLeft(midnight, Math.floor(await timeOf(redis)));
    const refused = await fleet[0].fetch(key(1), createCall()).catch((error: unknown) => error);
    const least = secondsLeft(midnight, await timeOf(redis));
    expect(range(least, most)).toContain((refused as ApiError).retryAfterSeconds);
  });

  it('gives back the credits reserved for a call that was not sent', async () => {
    const [first, second] = await startTwo({ creditsPerDay: 2 });
    await openBudget();
    expect(await callWithoutSending(first)).toBe('UPSTREAM_UNAVAILABLE');
    expect(await call(second)).toBe('ok');
    expect(calls).toHaveLength(1);
  });

  it('releases the credits of a call that got no connection, and counts it as a failure', async () => {
    let connects = 0;
    const source: PageSource = async () => {
      connects++;
      throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true });
    };
    const fleet = await startTwo({ source, creditsPerDay: 6 });
    await openBudget();
    for (const number of range(1, 7)) {
      expect(await call(fleet[number % 2], number)).toBe('UPSTREAM_UNAVAILABLE');
    }
    expect(connects).toBe(5);
    expect(await redis.client.hget('test:budget', 'spent')).toBe('0');
    expect(await redis.client.exists('test:calls')).toBe(0);
    await fleet[0].nextHeartbeat();
    expect(fleet[0].limits.creditsLeft()).toBe(6);
  });

  it('does not report released credits as spent after a lost connection', async () => {
    const source: PageSource = async () => {
      throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true });
    };
    const replica = await start({ source, creditsPerDay: 10 });
    await openBudget();
    for (const round of range(1, 3)) {
      expect(await call(replica, round)).toBe('UPSTREAM_UNAVAILABLE');
      expect(replica.limits.creditsLeft()).toBe(10);
      const ups = replica.events.filter(({ type }) => type === 'redisUp').length;
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await poll(() => replica.events.filter(({ type }) => type === 'redisUp').length > ups);
    }
    expect(await redis.client.hget('test:budget', 'spent')).toBe('0');
  });

  it('starts a new day with a full budget', async () => {
    const replica = await start({ creditsPerDay: 2 });
    const yesterday = Math.floor(Date.now() / DAY_MS) - 1;
    await redis.client.hset('test:budget', 'day', yesterday, 'spent', 2, 'openAt', 0);
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it('spends nothing after Redis has lost its data until the replicas have reported what they spent', async () => {
    const fleet = await startThree({ creditsPerDay: 8 });
    await openBudget();
    for (const number of range(1, 3)) await call(fleet[0], number);
    await redis.client.flushall();
    // The second one has spent nothing; the first one reports 6 credits.
    let known: string | null = null;
    respond = async () => {
      known ??= await redis.client.hget('test:budget', 'spent');
      return page;
    };
    expect(await call(fleet[1], 4)).toBe('ok');
    expect(fleet[1].waits()).toBeGreaterThan(0);
    expect(known).toBe('8');
    expect(await call(fleet[2], 5)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(4);
  });

  it('starts from the saved credits when Redis and the replicas have restarted', async () => {
    const today = Math.floor(Date.now() / DAY_MS);
    const replica = await start({ creditsPerDay: 6, spent: { day: today, credits: 4 } });
    await openBudget();
    expect([await call(replica), await call(replica)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it.each(['day', 'spent', 'openAt'])('treats a budget whose %s cannot be read as unknown', async (field) => {
    const replica = await start({ creditsPerDay: 6 });
    await openBudget();
    for (const number of range(1, 3)) await call(replica, number);
    await redis.client.hset('test:budget', 'spent', 0, field, 'garbage');
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(3);
  });

  it('starts a new day only when the clocks of both Redis and the replica say so', async () => {
    const replica = await start({ creditsPerDay: 2 });
    await openBudget();
    expect(await call(replica)).toBe('ok');
    const tomorrow = { ...systemClock, now: () => Date.now() + DAY_MS };
    const early = await start({ creditsPerDay: 2, clock: tomorrow });
    expect([await call(replica), await call(early)]).toEqual(Array(2).fill('CREDIT_BUDGET_EXHAUSTED'));
    expect([replica, early].map(({ limits }) => limits.creditsLeft())).toEqual([0, 0]);
    const yesterday = { ...systemClock, now: () => Date.now() - DAY_MS };
    const late = await start({ creditsPerDay: 2, clock: yesterday });
    const day = Math.floor(Date.now() / DAY_MS) - 1;
    await redis.client.hset('test:budget', 'day', day, 'spent', 2);
    expect(await call(late)).toBe('CREDIT_BUDGET_EXHAUSTED');
  });

  it('does not accept that Redis knows of fewer spent credits than before the connection broke', async () => {
    const replica = await start({ creditsPerDay: 6 });
    await openBudget();
    for (const number of range(1, 3)) await call(replica, number);
    // What a lagging copy of Redis would have. In one transaction, so that no heartbeat comes in between.
    await redis.client
      .multi()
      .hset('test:budget', 'spent', 2)
      .call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      .exec();
    await poll(() => replica.events.filter(({ type }) => type === 'redisUp').length > 1);
    expect(await call(replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toHaveLength(3);
  });

  it('reports that it cannot reserve credits when the budget stays unknown until the deadline', async () => {
    const replica = await start({ creditsPerDay: 6 });
    // Once this is found, nothing may be spent for two seconds.
    await redis.client.hset('test:budget', 'openAt', 'unknown');
    const deadlineAt = performance.now() + 100;
    const error = await replica
      .fetch(key(1), createCall({ deadline: () => deadlineAt }))
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'CREDIT_BUDGET_EXHAUSTED',
      message: expect.stringMatching(/cannot reserve/),
    });
    expect(calls).toEqual([]);
  });

  it('stops calls that wait for a connection when upstream refuses another call', async () => {
    const sent: number[] = [];
    let connecting = 0;
    let connect = (): void => undefined;
    const connected = new Promise<void>((resolve) => {
      connect = resolve;
    });
    const source: PageSource = async ({ number }, { signal, onSent }) => {
      // The first call has its connection at once, while the others open theirs.
      if (number === 1) await poll(() => connecting === 3);
      else {
        connecting++;
        await connected;
      }
      signal?.throwIfAborted();
      onSent();
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
    ['opened while Redis was down', () => redis.kill(), () => redis.start()],
    ['Redis has lost', () => undefined, () => redis.client.flushall()],
  ])('shares an open circuit that %s', async (_what, before, after) => {
    const first = await start();
    await before();
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    if (!redis.client.status.startsWith('ready')) await poll(() => !first.redis.isUp());
    expect(await call(first)).toBe('UPSTREAM_RATE_LIMITED');
    await after();
    await poll(async () => (await redis.client.hexists('test:circuit', 'error')) === 1);
    respond = async () => page;
    const second = await start();
    expect([await call(first), await call(second)]).toEqual([
      'UPSTREAM_RATE_LIMITED',
      'UPSTREAM_RATE_LIMITED',
    ]);
    expect(calls).toHaveLength(1);
  });

  it('shares the circuit of an endpoint that Redis has lost', async () => {
    const [first, second] = await startTwo();
    respond = async () => {
      throw new ApiError('UPSTREAM_ERROR');
    };
    for (const number of range(1, 5)) await call(first, number);
    await redis.client.flushall();
    await poll(async () => (await redis.client.hexists('test:circuit:trendingVideos', 'error')) === 1);
    expect([await call(first), await call(second)]).toEqual(['UPSTREAM_UNAVAILABLE', 'UPSTREAM_UNAVAILABLE']);
    expect(calls).toHaveLength(5);
  });

  it('shares the pause of an endpoint that began while Redis was down', async () => {
    const first = await start();
    await redis.kill();
    await poll(() => !first.redis.isUp());
    respond = async () => {
      throw BUSY;
    };
    expect(await call(first)).toBe('UPSTREAM_ERROR');
    await redis.start();
    await poll(async () => (await redis.client.hexists(ENDPOINT_CIRCUIT, 'error')) === 1);
    expect(await redis.client.hget(ENDPOINT_CIRCUIT, 'isPause')).toBe('1');
    const second = await start();
    expect([await call(first), await call(second)]).toEqual(['UPSTREAM_ERROR', 'UPSTREAM_ERROR']);
    expect(calls).toHaveLength(1);
  });

  it.each([
    ['UPSTREAM_RATE_LIMITED', () => new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 })],
    ['UPSTREAM_ERROR', () => BUSY],
  ])('keeps a circuit open that could not be reported to Redis: %s', async (code, toError) => {
    const replica = await start();
    respond = async () => {
      await redis.kill();
      throw toError();
    };
    await call(replica);
    expect(await call(replica, 2)).toBe(code);
    expect(calls).toHaveLength(1);
    await redis.start();
  });

  it('makes no paid call while Redis is down if there is a budget', async () => {
    const replica = await start({ creditsPerDay: 100 });
    await openBudget();
    await redis.kill();
    const error = await replica.fetch(key(1), createCall()).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CREDIT_BUDGET_EXHAUSTED', retryAfterSeconds: 5 });
    expect(calls).toEqual([]);
    await redis.start();
  });

  it('makes calls while Redis is down if there is no budget, but none while a known 429 applies', async () => {
    let laterMs = 0;
    const clock = { ...systemClock, monotonic: () => systemClock.monotonic() + laterMs };
    const [first, second] = await startTwo({ clock });
    respond = async () => {
      throw new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    };
    await call(first);
    // The second one learns of it with a heartbeat.
    await poll(() => second.events.some(({ type }) => type === 'circuitOpened'));
    await redis.kill();
    respond = async () => page;
    expect(await call(second)).toBe('UPSTREAM_RATE_LIMITED');
    laterMs = 60_000;
    expect([await call(first), await call(second)]).toEqual(['ok', 'ok']);
    expect(calls).toHaveLength(3);
    await redis.start();
  });
});

/** The seconds from `now` until then, rounded up. */
function secondsLeft(until: number, now: number): number {
  return Math.ceil((until - now) / 1000);
}
