import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createEmulator, type Emulator } from '../../../src/keyapi/emulator/emulator.ts';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { poll } from '../support/poll.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

/** Something that becomes of Redis, and how it ends. */
interface Fault {
  readonly name: string;
  harm(): unknown;
  heal(): unknown;
  /** What `/readyz` says meanwhile. */
  readonly redis: 'up' | 'down';
}

/** What a Redis that is up does not take, however busy the machine is. */
const TIMEOUT_MS = 1500;

let redis: TestRedis;
let proxy: TestProxy;
let emulator: Emulator;
let base: URL;
let apps: TestApp[];
/** The pages that upstream was asked for. */
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

/** Starts one that reaches Redis. */
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

/** Waits until Redis has both pages of a chart's top. */
async function waitForPages(region: string): Promise<void> {
  await poll(async () => (await redis.client.keys(`*:page:${region}:*`)).length === 2);
}

/** Reads a chart's top; gives what it cost. */
async function ask(app: TestApp, region: string) {
  const answer = await app.query<{ trendingVideos: { nodes: unknown[] } }>(
    `{ trendingVideos(region: "${region}", first: 40) { nodes { itemId } } }`,
  );
  expect(answer.errors).toBeUndefined();
  expect(answer.data?.trendingVideos.nodes).toHaveLength(40);
  return { requests: answer.extensions.upstream.requests };
}

/** How often it was found that a Redis in use had gone: so many operations may have waited for it in vain. */
function countLosses(events: readonly AppEvent[]): number {
  return events.filter((event) => event.type === 'redisDown' && event.wasUp).length;
}

/** Does something to every key but those that a test has put there. */
async function eachKey(change: (key: string, type: string) => Promise<unknown>): Promise<void> {
  for (const key of await redis.client.keys('*')) await change(key, await redis.client.type(key));
}

/** An empty Redis holds a budget until all replicas have said what they know: these tests do not wait for that. */
async function openPurse(): Promise<void> {
  for (const key of await redis.client.keys('*:budget')) await redis.client.hset(key, 'openAt', 0);
}

const config = (name: string, value: string) => redis.client.config('SET', name, value);

const FAULTS: Fault[] = [
  { name: 'dies', harm: () => redis.kill(), heal: () => redis.start(), redis: 'down' },
  {
    name: 'freezes',
    harm: () => redis.freeze(),
    heal: () => redis.thaw(),
    redis: 'down',
  },
  {
    name: 'takes too long for every answer',
    harm: () => proxy.hold(),
    heal: () => proxy.release(),
    redis: 'down',
  },
  {
    name: 'is read-only',
    harm: () => redis.client.replicaof('127.0.0.1', 1),
    heal: () => redis.client.replicaof('NO', 'ONE'),
    redis: 'down',
  },
  {
    name: 'is out of memory',
    harm: () => config('maxmemory', '1'),
    heal: () => config('maxmemory', '0'),
    redis: 'down',
  },
  {
    name: 'wants a password that it did not want before',
    harm: async () => {
      await config('requirepass', 'changed');
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    heal: () => config('requirepass', ''),
    redis: 'down',
  },
  {
    name: 'allows us nothing any more',
    harm: () => redis.client.acl('SETUSER', 'default', '-eval', '-evalsha', '-mget'),
    heal: () => redis.client.acl('SETUSER', 'default', '+@all'),
    redis: 'down',
  },
  {
    name: 'closes all connections',
    harm: () => redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'),
    heal: () => undefined,
    redis: 'up',
  },
  {
    name: 'forgets our scripts',
    harm: () => redis.client.script('FLUSH'),
    heal: () => undefined,
    redis: 'up',
  },
  { name: 'forgets everything', harm: () => redis.client.flushall(), heal: () => undefined, redis: 'up' },
  {
    name: 'evicts what it likes',
    harm: async () => {
      await config('maxmemory-policy', 'allkeys-random');
      const used = /used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1] ?? '';
      await config('maxmemory', String(Number(used) + 20_000));
    },
    heal: () => config('maxmemory', '0'),
    redis: 'up',
  },
  {
    name: 'has garbage in every text',
    harm: () =>
      eachKey(async (key, type) => {
        if (type === 'string') await redis.client.set(key, '1 2 3 garbage\n\0\xff', 'KEEPTTL');
        if (type === 'hash') {
          for (const field of await redis.client.hkeys(key)) await redis.client.hset(key, field, 'garbage');
        }
      }),
    heal: () => undefined,
    redis: 'up',
  },
  {
    name: 'has halves of our values',
    harm: () =>
      eachKey(async (key, type) => {
        if (type !== 'string') return;
        const value = await redis.client.getBuffer(key);
        await redis.client.set(key, value?.subarray(0, value.length / 2) ?? '', 'KEEPTTL');
      }),
    heal: () => undefined,
    redis: 'up',
  },
  {
    name: 'has lists where we keep other things',
    harm: () => eachKey((key) => redis.client.multi().del(key).rpush(key, 'garbage').exec()),
    heal: () => undefined,
    redis: 'up',
  },
  {
    name: 'has numbers that cannot be',
    harm: async () => {
      const far = '9999999999999999';
      await eachKey(async (key, type) => {
        if (type === 'zset') await redis.client.zadd(key, 1e300, 'one', Number.POSITIVE_INFINITY, 'two');
        if (type === 'hash')
          for (const field of await redis.client.hkeys(key)) await redis.client.hset(key, field, far);
        if (type === 'string') await redis.client.set(key, `${far} ${far} ${far} 0 x\nx`);
      });
      const prefix = (await redis.client.keys('*:replicas'))[0]?.replace(/replicas$/, '') ?? '';
      await redis.client.hset(
        `${prefix}circuit`,
        'until',
        far,
        'error',
        'x',
        'probeUntil',
        far,
        'failures',
        far,
      );
      await redis.client.hset(`${prefix}budget`, 'day', far, 'spent', far, 'openAt', far);
      await redis.client.set(`${prefix}lock:FR:7:VIEWS:1`, 'for ever');
      await redis.client.hset(`${prefix}failure:FR:7:VIEWS:2`, 'until', 'nan', 'count', 'inf', 'error', '{}');
    },
    heal: () => undefined,
    redis: 'up',
  },
];

describeWithRedis('while Redis', () => {
  it.each(FAULTS)('$name, every operation is answered, and later it is used again', async (fault) => {
    const app = await startBehindProxy();
    await ask(app, 'US');
    await fault.harm();

    // While the fault lasts.
    await Promise.all([ask(app, 'US'), ask(app, 'DE'), ask(app, 'FR')]);
    await waitForRedis(app, fault.redis);
    const losses = countLosses(app.events);
    await Promise.all([ask(app, 'US'), ask(app, 'GB'), ask(app, 'JP')]);
    // Once it is known, no operation has to find out again.
    if (fault.redis === 'down') expect(countLosses(app.events)).toBe(losses);
    // Nothing is paid for twice by one replica.
    expect(bill).toHaveLength(10);

    await fault.heal();
    await waitForRedis(app, 'up');
    await ask(app, 'IT');
    await waitForPages('IT');
    const other = await startConnected();
    expect(await ask(other, 'IT')).toMatchObject({ requests: 0 });
  });

  it.each(FAULTS.filter(({ redis }) => redis === 'down'))(
    '$name, nothing is paid for when there is a budget, and what is held is served',
    async (fault) => {
      const app = await startBehindProxy({ CREDIT_BUDGET_PER_DAY: '100' });
      await openPurse();
      await ask(app, 'US');
      await fault.harm();
      expect(await ask(app, 'US')).toMatchObject({ requests: 0 });
      const refused = await app.query('{ trendingVideos(region: "DE") { totalCount } }');
      expect(refused.errors?.[0]?.extensions).toMatchObject({
        code: 'CREDIT_BUDGET_EXHAUSTED',
        retryable: true,
      });
      expect(bill).toHaveLength(2);
      await fault.heal();
      await waitForRedis(app, 'up');
      await openPurse();
      await ask(app, 'DE');
      expect(bill).toHaveLength(4);
    },
  );
});

describeWithRedis('a budget is not overspent when Redis', () => {
  it.each(FAULTS)('$name', async (fault) => {
    const app = await startBehindProxy({ CREDIT_BUDGET_PER_DAY: '12' });
    await openPurse();
    await ask(app, 'US');
    const tryAll = (regions: string[]) =>
      Promise.all(
        regions.map((region) => app.query(`{ trendingVideos(region: "${region}") { totalCount } }`)),
      );
    await Promise.all([fault.harm(), tryAll(['DE', 'FR', 'GB', 'JP'])]);
    await fault.heal();
    await waitForRedis(app, 'up');
    // Redis may go away once more, when that is found out late: then nothing is paid for, and it is asked again.
    let answers: Awaited<ReturnType<typeof tryAll>> = [];
    await poll(async () => {
      answers = await tryAll(['IT', 'ES', 'BR', 'MX', 'IN']);
      return bill.length >= 6;
    });
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toContain('CREDIT_BUDGET_EXHAUSTED');
    expect(bill).toHaveLength(6);
  });
});

describeWithRedis('a server whose Redis', () => {
  it('is not there at the start answers all the same, and uses it when it comes', async () => {
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

  it('stands still from the start answers all the same', async () => {
    redis = await startRedis();
    redis.freeze();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const app = await start();
    await ask(app, 'US');
    expect(await readiness(app)).toEqual([200, { status: 'ok', redis: 'down' }]);
    redis.thaw();
    await waitForRedis(app, 'up');
  });

  it('wants a user, a password and a database gets them from the URL, and no event tells the password', async () => {
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
    });
    expect(JSON.stringify(wrong.events)).not.toContain('wr0ng-secret');
  });

  it('has no such database is not used at all, rather than another one', async () => {
    redis = await startRedis();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const app = await start({}, `${redis.url}/99`);
    await ask(app, 'US');
    expect(await readiness(app)).toEqual([200, { status: 'ok', redis: 'down' }]);
    expect(await redis.client.dbsize()).toBe(0);
  });

  it('has demo data does not take it for real', async () => {
    redis = await startRedis();
    proxy = await startProxy(Number(new URL(redis.url).port));
    const demo = await startConnected({ KEYAPI_EMULATOR: 'true' });
    await ask(demo, 'US');
    expect(await ask(await startConnected(), 'US')).toMatchObject({ requests: 2 });
  });
});
