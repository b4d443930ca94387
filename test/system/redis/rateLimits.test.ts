import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { IMPORTED_COUNT_TTL_MS } from '../../../src/server/protection/rateLimiter.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const KEY = 'secret-0123456789';

let redis: TestRedis;
let apps: TestApp[];
/** The clock of both replicas: imported counts stay valid until a test advances it. */
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

/** Sends these replicas a request each while Redis is frozen: they exchange no counts, and cannot depend on a reply. */
async function askWhileFrozen(...replicas: number[]): Promise<Awaited<ReturnType<typeof ask>>[]> {
  redis.freeze();
  const responses: Awaited<ReturnType<typeof ask>>[] = [];
  for (const replica of replicas) responses.push(await ask(replica));
  expect(await redisStates()).toEqual(['up', 'up']);
  redis.thaw();
  return responses;
}

/** The state of Redis that the `/readyz` of each replica reports. */
function redisStates(): Promise<string[]> {
  return Promise.all(apps.map(async ({ server }) => (await server.inject('/readyz')).json().redis));
}

/** The key of the counts in Redis; an empty text while there are none. */
async function countsKey(): Promise<string> {
  return (await redis.client.keys('*:requests:*'))[0] ?? '';
}

/** The last count that each replica has exported, and when. */
async function exportedCounts(): Promise<{ count: number; at: string | undefined }[]> {
  const fields = Object.entries(await redis.client.hgetall(await countsKey())).sort();
  return fields.map(([, value]) => value.split(' ')).map(([count, at]) => ({ count: Number(count), at }));
}

/** Waits until the replicas have exported these counts. */
function waitForExports(...counts: number[]): Promise<void> {
  return poll(async () => {
    const found = (await exportedCounts()).map(({ count }) => count).sort();
    return found.join() === counts.join();
  });
}

/** Waits until the replicas have exported these counts, and have imported each other's. */
async function settle(...counts: number[]): Promise<void> {
  await waitForExports(...counts);
  // The next export of each returns the others' counts; the one after it shows that they have been imported.
  for (let time = 0; time < 2; time++) {
    const before = await exportedCounts();
    await poll(async () => {
      const now = await exportedCounts();
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

  it('share their request counts in the background, under Redis keys that reveal no API key', async () => {
    const responses = await askWhileFrozen(0, 0, 0, 0, 0, 0, 1);
    expect(responses.map(({ remaining }) => remaining)).toEqual([9, 8, 7, 6, 5, 4, 9]);
    await settle(1, 6);
    expect(await askWhileFrozen(0, 1)).toEqual([
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

  it('count requests on their own while Redis is down, without a delay', async () => {
    await askWhileFrozen(0, 0, 0, 0, 0, 0, 0, 0, 1);
    await settle(1, 8);
    expect(await ask(1)).toMatchObject({ remaining: 0 });
    // A frozen Redis never responds: a request that waited for it would hang.
    redis.freeze();
    await poll(async () => (await redisStates()).join() === 'down,down');
    clock.advance(IMPORTED_COUNT_TTL_MS);
    const responses: Awaited<ReturnType<typeof ask>>[] = [];
    for (let count = 0; count < 8; count++) responses.push(await ask(1));
    expect(responses[0]).toMatchObject({ status: 200, remaining: 7 });
    expect((await ask(1)).status).toBe(429);
  });

  it('ignore invalid counts in Redis', async () => {
    await ask(0);
    await waitForExports(1);
    const key = await countsKey();
    await redis.client.set(key, 'nonsense');
    await poll(async () => (await redis.client.type(key)) === 'hash');
    await redis.client.hset(key, { a: 'nonsense', b: '9 99', c: '9 99999999999999', d: '-9 x' });
    await settle(1);
    expect(await ask(0)).toMatchObject({ status: 200, remaining: 8 });
    expect(await redis.client.hlen(key)).toBe(1);
  });
});
