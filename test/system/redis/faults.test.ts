import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../../src/keyapi/emulator/emulator.ts';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { poll } from '../support/poll.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

/** A fault of Redis, and how it is repaired. */
interface Fault {
  readonly name: string;
  cause(): unknown;
  repair(): unknown;
  /** The state of Redis that `/readyz` reports during the fault. */
  readonly redis: 'up' | 'down';
}

/** Long enough for a Redis that is up, on a slow machine too. */
const TIMEOUT_MS = 1500;

let redis: TestRedis;
let proxy: TestProxy;
let emulator: Emulator;
let base: URL;
let apps: TestApp[];
/** The pages that were requested from upstream. */
let bill: unknown[];

beforeEach(async () => {
  apps = [];
  bill = [];
  emulator = createEmulator({ onRequest: (request) => void bill.push(request) });
  base = await emulator.listen();
});

afterEach(async () => {
  redis.thaw();
  await Promise.all(apps.map((app) => app.close()));
  await proxy.close();
  await redis.close();
  await emulator.close();
});

async function start(variables: Record<string, string> = {}, url = `redis://127.0.0.1:${proxy.port}`) {
  const events: AppEvent[] = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  const app = await startApp(
    base,
    { REDIS_URL: url, REDIS_TIMEOUT_MS: String(TIMEOUT_MS), KEYAPI_QPS: '1000', ...variables },
    { onEvent },
  );
  apps.push(app);
  return { ...app, events };
}

/** Starts a server and waits until it is connected to Redis. */
async function startConnected(...args: Parameters<typeof start>) {
  const app = await start(...args);
  await waitForRedis(app, 'up');
  return app;
}

async function startBehindProxy(variables: Record<string, string> = {}) {
  redis = await startRedis();
  proxy = await startProxy(Number(new URL(redis.url).port));
  return startConnected(variables);
}

async function readiness(app: TestApp): Promise<unknown> {
  const response = await app.server.inject('/readyz');
  const { status, redis } = response.json();
  return [response.statusCode, { status, redis }];
}

async function waitForRedis(app: TestApp, state: 'up' | 'down'): Promise<void> {
  const expected = JSON.stringify([200, { status: 'ok', redis: state }]);
  await poll(async () => JSON.stringify(await readiness(app)) === expected);
}

/** Waits until Redis has both pages of a chart's top 40. */
async function waitForPages(region: string): Promise<void> {
  await poll(async () => (await redis.client.keys(`*:page:${region}:*`)).length === 2);
}

/** Reads a chart's top 40; returns what it cost. */
async function ask(app: TestApp, region: string) {
  const result = await app.query<{ trendingVideos: { nodes: unknown[] } }>(
    `{ trendingVideos(region: "${region}", first: 40) { nodes { itemId } } }`,
  );
  expect(result.errors).toBeUndefined();
  expect(result.data?.trendingVideos.nodes).toHaveLength(40);
  return { requests: result.extensions.upstream.requests };
}

/** How often Redis went down while it was in use. Each time an operation may have waited for it in vain. */
function countLosses(events: readonly AppEvent[]): number {
  return events.filter((event) => event.type === 'redisDown' && event.wasUp).length;
}

/** Changes every key. */
async function eachKey(change: (key: string, type: string) => Promise<unknown>): Promise<void> {
  for (const key of await redis.client.keys('*')) await change(key, await redis.client.type(key));
}

/** Allows spending at once: with an empty Redis, replicas wait until all have reported what they spent. */
async function openBudget(): Promise<void> {
  for (const key of await redis.client.keys('*:budget')) await redis.client.hset(key, 'openAt', 0);
}

const config = (name: string, value: string) => redis.client.config('SET', name, value);

const FAULTS: Fault[] = [
  { name: 'crashes', cause: () => redis.kill(), repair: () => redis.start(), redis: 'down' },
  {
    name: 'freezes',
    cause: () => redis.freeze(),
    repair: () => redis.thaw(),
    redis: 'down',
  },
  {
    name: 'responds too slowly',
    cause: () => proxy.hold(),
    repair: () => proxy.release(),
    redis: 'down',
  },
  {
    name: 'is read-only',
    cause: () => redis.client.replicaof('127.0.0.1', 1),
    repair: () => redis.client.replicaof('NO', 'ONE'),
    redis: 'down',
  },
  {
    name: 'is out of memory',
    cause: () => config('maxmemory', '1'),
    repair: () => config('maxmemory', '0'),
    redis: 'down',
  },
  {
    name: 'starts to require a password',
    cause: async () => {
      await config('requirepass', 'changed');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    repair: () => config('requirepass', ''),
    redis: 'down',
  },
  {
    name: 'denies our commands',
    cause: () => redis.client.acl('SETUSER', 'default', '-eval', '-evalsha', '-mget'),
    repair: () => redis.client.acl('SETUSER', 'default', '+@all'),
    redis: 'down',
  },
  {
    name: 'closes all connections',
    cause: () => redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    repair: () => undefined,
    redis: 'up',
  },
  {
    name: 'loses our scripts',
    cause: () => redis.client.script('FLUSH'),
    repair: () => undefined,
    redis: 'up',
  },
  { name: 'loses all data', cause: () => redis.client.flushall(), repair: () => undefined, redis: 'up' },
  {
    name: 'evicts random keys',
    cause: async () => {
      await config('maxmemory-policy', 'allkeys-random');
      const used = /used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1] ?? '';
      await config('maxmemory', String(Number(used) + 20_000));
    },
    repair: () => config('maxmemory', '0'),
    redis: 'up',
  },
  {
    name: 'has garbage in all strings and hashes',
    cause: () =>
      eachKey(async (key, type) => {
        if (type === 'string') await redis.client.set(key, '1 2 3 garbage\n\0\xff', 'KEEPTTL');
        if (type === 'hash') {
          for (const field of await redis.client.hkeys(key)) await redis.client.hset(key, field, 'garbage');
        }
      }),
    repair: () => undefined,
    redis: 'up',
  },
  {
    name: 'has truncated values',
    cause: () =>
      eachKey(async (key, type) => {
        if (type !== 'string') return;
        const value = await redis.client.getBuffer(key);
        await redis.client.set(key, value?.subarray(0, value.length / 2) ?? '', 'KEEPTTL');
      }),
    repair: () => undefined,
    redis: 'up',
  },
  {
    name: 'has lists in place of our values',
    cause: () => eachKey((key) => redis.client.multi().del(key).rpush(key, 'garbage').exec()),
    repair: () => undefined,
    redis: 'up',
  },
  {
    name: 'has impossible numbers',
    cause: async () => {
      const far = '9999999999999999';
      await eachKey(async (key, type) => {
        if (type === 'zset') await redis.client.zadd(key, 1e300, 'one', Number.POSITIVE_INFINITY, 'two');
        if (type === 'hash')
          for (const field of await redis.client.hkeys(key)) await redis.client.hset(key, field, far);
        if (type === 'string') await redis.client.set(key, `${far} ${far} ${far} 0 x\nx`);
      });
      const prefix = (await redis.client.keys('*:replicas'))[0]?.replace(/replicas$/, '') ?? '';
      for (const circuit of ['circuit', 'circuit:trendingVideos']) {
        const entry = { until: far, error: 'x', probeUntil: far, failures: far };
        await redis.client.hset(`${prefix}${circuit}`, entry);
      }
      await redis.client.hset(`${prefix}budget`, 'day', far, 'spent', far, 'openAt', far);
      await redis.client.set(`${prefix}lock:FR:7:VIEWS:1`, 'for ever');
      await redis.client.hset(`${prefix}failure:FR:7:VIEWS:2`, 'until', 'nan', 'count', 'inf', 'error', '{}');
    },
    repair: () => undefined,
    redis: 'up',
  },
];

describeWithRedis('while Redis', () => {
  it.each(FAULTS)('$name, every operation succeeds, and Redis is used again afterwards', async (fault) => {
    const app = await startBehindProxy();
    await ask(app, 'US');
    await fault.cause();

    // While the fault lasts.
    await Promise.all([ask(app, 'US'), ask(app, 'DE'), ask(app, 'FR')]);
    await waitForRedis(app, fault.redis);
    const losses = countLosses(app.events);
    await Promise.all([ask(app, 'US'), ask(app, 'GB'), ask(app, 'JP')]);
    // Once Redis is known to be down, no operation waits for it.
    if (fault.redis === 'down') expect(countLosses(app.events)).toBe(losses);
    // One replica fetches no page twice.
    expect(bill).toHaveLength(10);

    await fault.repair();
    await waitForRedis(app, 'up');
    await ask(app, 'IT');
    await waitForPages('IT');
    const other = await startConnected();
    expect(await ask(other, 'IT')).toMatchObject({ requests: 0 });
  });

  it.each(FAULTS.filter(({ redis }) => redis === 'down'))(
    '$name, a server with a budget makes no paid call, and serves cached pages',
    async (fault) => {
      const app = await startBehindProxy({ CREDIT_BUDGET_PER_DAY: '100' });
      await openBudget();
      await ask(app, 'US');
      await fault.cause();
      expect(await ask(app, 'US')).toMatchObject({ requests: 0 });
      const refused = await app.query('{ trendingVideos(region: "DE") { totalCount } }');
      expect(refused.errors?.[0]?.extensions).toMatchObject({
        code: 'CREDIT_BUDGET_EXHAUSTED',
        retryable: true,
      });
      expect(bill).toHaveLength(2);
      await fault.repair();
      await waitForRedis(app, 'up');
      await openBudget();
      await ask(app, 'DE');
      expect(bill).toHaveLength(4);
    },
  );
});

describeWithRedis('a budget is not overspent when Redis', () => {
  it.each(FAULTS)('$name', async (fault) => {
    const app = await startBehindProxy({ CREDIT_BUDGET_PER_DAY: '12' });
    await openBudget();
    await ask(app, 'US');
    const tryAll = (regions: string[]) =>
      Promise.all(
        regions.map((region) => app.query(`{ trendingVideos(region: "${region}") { totalCount } }`)),
      );
    await Promise.all([fault.cause(), tryAll(['DE', 'FR', 'GB', 'JP'])]);
    await fault.repair();
    await waitForRedis(app, 'up');
    // A fault that is noticed late takes Redis down once more: nothing is spent then, and the operations are repeated.
    let results: Awaited<ReturnType<typeof tryAll>> = [];
    await poll(async () => {
      results = await tryAll(['IT', 'ES', 'BR', 'MX', 'IN']);
      return bill.length >= 6;
    });
    expect(results.map(({ errors }) => errors?.[0]?.extensions.code)).toContain('CREDIT_BUDGET_EXHAUSTED');
    expect(bill).toHaveLength(6);
  });
});

describeWithRedis('a server with Redis', () => {
  it('executes operations when Redis is down at the start, and uses it once it is up', async () => {
    redis = await startRedis();
    await redis.kill();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const app = await start({}, redis.url);
    expect(await readiness(app)).toEqual([200, { status: 'ok', redis: 'down' }]);
    await ask(app, 'US');
    await redis.start();
    await waitForRedis(app, 'up');
    await waitForPages('US');
    expect(await ask(await startConnected({}, redis.url), 'US')).toMatchObject({ requests: 0 });
    expect(app.events).toContainEqual({
      type: 'redisDown',
      wasUp: false,
      reason: expect.stringMatching(/ECONNREFUSED|NOAUTH/),
    });
  });

  it('executes operations when Redis is frozen at the start', async () => {
    redis = await startRedis();
    redis.freeze();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const app = await start();
    await ask(app, 'US');
    expect(await readiness(app)).toEqual([200, { status: 'ok', redis: 'down' }]);
    redis.thaw();
    await waitForRedis(app, 'up');
  });

  it('takes user, password and database from the URL, and reveals the password in no event', async () => {
    redis = await startRedis();
    proxy = await startProxy(Number(new URL(redis.url).port));
    await redis.client.acl('SETUSER', 'app', 'on', '>p@ss/wörd%', '~*', '+@all');
    const { port } = new URL(redis.url);
    const withPassword = (password: string): string =>
      `redis://app:${encodeURIComponent(password)}@127.0.0.1:${port}/3`;
    await ask(await startConnected({}, withPassword('p@ss/wörd%')), 'US');
    expect(await redis.client.info('keyspace')).toMatch(/^db3:/m);

    const wrong = await start({}, withPassword('wr0ng-secret'));
    await ask(wrong, 'US');
    expect(wrong.events).toContainEqual({
      type: 'redisDown',
      wasUp: false,
      reason: expect.stringMatching(/WRONGPASS/),
      advice: expect.stringMatching(/^Correct them in REDIS_URL/),
    });
    expect(JSON.stringify(wrong.events)).not.toContain('wr0ng-secret');
  });

  it('uses no other database when the one in the URL does not exist', async () => {
    redis = await startRedis();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const app = await start({}, `${redis.url}/99`);
    await ask(app, 'US');
    expect(await readiness(app)).toEqual([200, { status: 'ok', redis: 'down' }]);
    expect(await redis.client.dbsize()).toBe(0);
  });

  it('does not serve demo data from Redis as real data', async () => {
    redis = await startRedis();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const demo = await startConnected({ KEYAPI_EMULATOR: 'true' });
    await ask(demo, 'US');
    expect(await ask(await startConnected(), 'US')).toMatchObject({ requests: 2 });
  });
});
