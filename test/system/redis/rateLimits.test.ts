import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { IMPORTED_COUNT_TTL_MS } from '../../../src/server/protection/rateLimiter.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const KEY = 'secret-0123456789';

let redis: TestRedis;
let apps: TestApp[];
/** Of both: what one has heard holds until it is told to go on. */
let clock: TestClock;

async function ask(replica: number): Promise<{ status: number; remaining: number }> {
  const response = await apps[replica]?.server.inject({
    method: 'POST',
    url: '/graphql',
    payload: { query: '{ __typename }' },
    headers: { 'x-api-key': KEY },
  });
  const remaining = Number(response?.headers['ratelimit-remaining']);
  return { status: response?.statusCode ?? 0, remaining };
}

/** Asks each of these while Redis does not answer, so that none hears of the others, and none can wait for it. */
async function askAtOnce(...asked: number[]): Promise<Awaited<ReturnType<typeof ask>>[]> {
  redis.freeze();
  const answers: Awaited<ReturnType<typeof ask>>[] = [];
  for (const replica of asked) answers.push(await ask(replica));
  expect(await redisStates()).toEqual(['up', 'up']);
  redis.thaw();
  return answers;
}

/** What `/readyz` of each says of Redis. */
function redisStates(): Promise<string[]> {
  return Promise.all(apps.map(async ({ server }) => (await server.inject('/readyz')).json().redis));
}

/** The name of the counts in Redis; an empty one while there are none. */
async function nameOfCounts(): Promise<string> {
  return (await redis.client.keys('*:requests:*'))[0] ?? '';
}

/** What each replica has told last, and when. */
async function told(): Promise<{ count: number; at: string | undefined }[]> {
  const fields = Object.entries(await redis.client.hgetall(await nameOfCounts())).sort();
  return fields.map(([, value]) => value.split(' ')).map(([count, at]) => ({ count: Number(count), at }));
}

/** Waits until the replicas have told these counts. */
function seeTold(...counts: number[]): Promise<void> {
  return poll(async () => {
    const found = (await told()).map(({ count }) => count).sort();
    return found.join() === counts.join();
  });
}

/** Waits until the replicas have told these counts, and heard each other's. */
async function settle(...counts: number[]): Promise<void> {
  await seeTold(...counts);
  // Who tells once more hears them; who tells again has heard them.
  for (let time = 0; time < 2; time++) {
    const before = await told();
    await poll(async () => {
      const now = await told();
      return now.length === counts.length && now.every(({ at }, index) => at !== before[index]?.at);
    });
  }
}

describeWithRedis('replicas', () => {
  beforeEach(async () => {
    redis = await startRedis();
    clock = createTestClock(Date.now());
    const variables = {
      REDIS_URL: redis.url,
      REDIS_TIMEOUT_MS: '1500',
      KEYAPI_EMULATOR: 'true',
      RATE_LIMIT_PER_MINUTE: '10',
      API_KEYS: KEY,
    };
    const base = new URL('http://127.0.0.1:9');
    apps = await Promise.all([startApp(base, variables, { clock }), startApp(base, variables, { clock })]);
    await poll(async () => (await redisStates()).join() === 'up,up');
  });

  afterEach(async () => {
    redis.thaw();
    await Promise.all(apps.map((replica) => replica.close()));
    await redis.close();
  });

  it('count together, in the background, under names that tell no key', async () => {
    const asked = await askAtOnce(0, 0, 0, 0, 0, 0, 1);
    expect(asked.map(({ remaining }) => remaining)).toEqual([9, 8, 7, 6, 5, 4, 9]);
    await settle(1, 6);
    expect(await askAtOnce(0, 1)).toEqual([
      { status: 200, remaining: 2 },
      { status: 200, remaining: 2 },
    ]);
    await settle(2, 7);
    expect(await ask(1)).toEqual({ status: 200, remaining: 0 });
    await settle(3, 7);
    expect([(await ask(0)).status, (await ask(1)).status]).toEqual([429, 429]);
    const keys = await redis.client.keys('*:requests:*');
    expect(keys).toEqual([expect.stringMatching(/:requests:key-[0-9a-f]{8}$/)]);
    expect(await redis.client.pttl(`${keys[0]}`)).toBeGreaterThan(0);
    expect(JSON.stringify(await redis.client.hgetall(`${keys[0]}`))).not.toContain(KEY);
  });

  it('count alone while Redis is away, and lose no time by it', async () => {
    await askAtOnce(0, 0, 0, 0, 0, 0, 0, 0, 1);
    await settle(1, 8);
    expect(await ask(1)).toMatchObject({ remaining: 0 });
    // It says nothing: who waited for it would wait for ever.
    redis.freeze();
    await poll(async () => (await redisStates()).join() === 'down,down');
    clock.advance(IMPORTED_COUNT_TTL_MS);
    const answers: Awaited<ReturnType<typeof ask>>[] = [];
    for (let count = 0; count < 8; count++) answers.push(await ask(1));
    expect(answers[0]).toMatchObject({ status: 200, remaining: 7 });
    expect((await ask(1)).status).toBe(429);
  });

  it('believe no nonsense in Redis', async () => {
    await ask(0);
    await seeTold(1);
    const key = await nameOfCounts();
    await redis.client.set(key, 'nonsense');
    await poll(async () => (await redis.client.type(key)) === 'hash');
    await redis.client.hset(key, { a: 'nonsense', b: '9 99', c: '9 99999999999999', d: '-9 x' });
    await settle(1);
    expect(await ask(0)).toMatchObject({ status: 200, remaining: 8 });
    expect(await redis.client.hlen(key)).toBe(1);
  });
});
