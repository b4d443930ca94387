import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { toKeyName } from '../../../src/data/redis/scripts/redisKeys.ts';
import { reportCall } from '../../../src/data/redis/scripts/reportCall.ts';
import { toUtcDay } from '../../../src/domain/utcDay.ts';
import { createCall } from '../../support/cache.ts';
import { codeOf, key, type PageSource, page } from '../../support/sources.ts';
import { describeUnless } from '../support/describeWith.ts';
import { poll } from '../support/poll.ts';
import { startProxy, type TestProxy } from '../support/proxy.ts';
import { startServer, type TestServer, timeOf, whyNoNodes } from '../support/redis.ts';
import { startCluster } from '../support/redisCluster.ts';
import { type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

/** How long nothing is spent after a failover, and for how long other releases accept that in one entry. */
const FAILOVER_HOLD_MS = 5000;
const HOLD_MS = 2000;

let servers: TestServer[];
let closeCluster: (() => Promise<void>) | undefined;
let proxies: TestProxy[];
let replicas: TestReplica[];
/** Calls that were made. */
let calls: number;

beforeEach(() => {
  [servers, proxies, replicas] = [[], [], []];
  calls = 0;
});

afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.close()));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await Promise.all(servers.map((server) => server.close()));
  await closeCluster?.();
  closeCluster = undefined;
});

async function startRedis(...args: readonly string[]): Promise<TestServer> {
  const server = await startServer(...args);
  servers.push(server);
  return server;
}

/** Starts a replica that reaches Redis through a proxy of its own. */
async function start(server: TestServer, options: Partial<ReplicaOptions> = {}) {
  const proxy = await startProxy(server.port);
  proxies.push(proxy);
  const source: PageSource = async (_key, { onSent }) => {
    onSent();
    calls++;
    return page;
  };
  const url = `redis://127.0.0.1:${proxy.port}`;
  const replica = await startReplica({ url, source, creditsPerDay: 8, ...options });
  replicas.push(replica);
  return { replica, proxy };
}

function call({ fetch }: TestReplica, number = 1): Promise<string> {
  return codeOf(fetch(key(number), createCall()));
}

const budgetOf = ({ client }: TestServer): Promise<Record<string, string>> => client.hgetall('test:budget');
/** Allows spending at once. */
const open = ({ client }: TestServer): Promise<number> =>
  client.hset('test:budget', 'openAt', 0, 'heldUntil', 0);

/** A Redis that has replicated the budget up to now. */
async function startStandby(primary: TestServer): Promise<TestServer> {
  const standby = await startRedis();
  await standby.client.hset('test:budget', await budgetOf(primary));
  return standby;
}

const ups = ({ events }: TestReplica): number => events.filter(({ type }) => type === 'redisUp').length;

describeUnless(whyNoNodes, 'after a failover', () => {
  it('nothing is spent until the replica has reported whose credits the new primary lacks', async () => {
    const primary = await startRedis();
    const one = await start(primary);
    const two = await start(primary);
    await open(primary);
    for (const number of [1, 2]) expect(await call(one.replica, number)).toBe('ok');
    await two.replica.nextHeartbeat();
    const standby = await startStandby(primary);
    // From here on the standby lags behind, and the second replica knows no more than it.
    two.proxy.switchTo(standby.port);
    for (const number of [3, 4]) expect(await call(one.replica, number)).toBe('ok');
    await poll(() => ups(two.replica) === 2);
    const late = call(two.replica, 5);
    one.proxy.switchTo(standby.port);
    expect(await late).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(calls).toBe(4);
    expect(await budgetOf(standby)).toMatchObject({ spent: '8' });
  });

  it('the pause lasts five seconds, in steps that other releases accept, and is over then', async () => {
    const primary = await startRedis();
    const { replica, proxy } = await start(primary);
    await open(primary);
    expect(await call(replica)).toBe('ok');
    const standby = await startStandby(primary);
    proxy.switchTo(standby.port);
    await poll(() => ups(replica) === 2);
    const { openAt, heldUntil } = await budgetOf(standby);
    expect(Number(heldUntil) - Number(openAt)).toBeGreaterThanOrEqual(FAILOVER_HOLD_MS - HOLD_MS - 1000);
    expect(Number(openAt) - (await timeOf(standby))).toBeLessThanOrEqual(HOLD_MS);
    expect(await call(replica, 2)).toBe('ok');
    expect(await timeOf(standby)).toBeGreaterThanOrEqual(Number(heldUntil));
    expect(calls).toBe(2);
  });

  it.each([
    ['another Redis is the primary', () => ({ openAt: 0, primary: 'another' })],
    ['Redis has lost the budget', (now: number) => ({ openAt: Math.floor(now) + HOLD_MS })],
  ])('a report takes nothing back, and says nothing of what is spent, after %s', async (_, toFields) => {
    const standby = await startRedis();
    const { replica } = await start(standby);
    const day = toUtcDay(Date.now());
    await standby.client.hset('test:budget', { day, spent: 6, ...toFields(await timeOf(standby)) });
    const report = await reportCall(replica.redis.run, {
      endpoint: 'trendingVideos',
      token: 'token',
      call: { state: 'unsent' },
      attemptMs: 1000,
      windowMs: 1000,
      credits: 2,
      day,
      maxFailures: 5,
    });
    expect(report).toEqual({ spent: undefined, changes: [] });
    expect(await budgetOf(standby)).toMatchObject({ spent: '6' });
  });

  it('a clock that is behind that of the old primary loses nothing', async () => {
    const redis = await startRedis();
    const { replica } = await start(redis);
    const day = toUtcDay(Date.now());
    const later = (await timeOf(redis)) + 3_600_000;
    const times = ['openAt', Math.floor(later), 'heldUntil', Math.floor(later)];
    await redis.client.hset('test:budget', 'day', day, 'spent', 6, ...times);
    expect([await call(replica), await call(replica, 2)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
  });

  it('a new connection to the same Redis is no failover', async () => {
    const primary = await startRedis();
    const { replica, proxy } = await start(primary);
    await open(primary);
    proxy.switchTo(primary.port);
    await poll(() => ups(replica) === 2);
    expect(await budgetOf(primary)).toMatchObject({ heldUntil: '0' });
    expect(await call(replica)).toBe('ok');
  });

  it('a new connection counts as one when Redis may not be asked which one it is', async () => {
    const primary = await startRedis();
    await primary.client.call('ACL', 'SETUSER', 'default', '-info');
    const { replica, proxy } = await start(primary);
    await open(primary);
    expect(await call(replica)).toBe('ok');
    proxy.switchTo(primary.port);
    await poll(() => ups(replica) === 2);
    const { heldUntil } = await budgetOf(primary);
    expect(Number(heldUntil)).toBeGreaterThan(0);
  });
});

describeUnless(whyNoNodes, 'a reservation whose response is lost', () => {
  /** Reserves a call, with a budget, and checks that this has happened once. */
  async function expectOne(
    { client }: TestServer,
    proxy: TestProxy,
    { prefix, ...options }: Pick<ReplicaOptions, 'url' | 'variables'> & { readonly prefix: string },
  ) {
    const toRedisKey = (name: string): string => `${prefix}:${name}`;
    const replica = await startReplica({
      ...options,
      source: async () => page,
      creditsPerDay: 100,
      toRedisKey,
    });
    replicas.push(replica);
    await client.hset(`${prefix}:budget`, 'openAt', 0);
    proxy.loseResponses(/Reserves one call/);
    expect(await codeOf(replica.fetch(key(1), createCall()))).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(await client.hget(`${prefix}:budget`, 'spent')).toBe('2');
    expect(await client.zcard(`${prefix}:calls`)).toBe(1);
  }

  it('is not repeated by the client of a single Redis', async () => {
    const node = await startRedis();
    const proxy = await startProxy(node.port);
    proxies.push(proxy);
    await expectOne(node, proxy, { url: `redis://127.0.0.1:${proxy.port}`, prefix: 'test' });
  });

  it('is not repeated by the client of a cluster', async () => {
    const { owner, other, seeOwner, close } = await startCluster('test');
    closeCluster = close;
    const proxy = await startProxy(owner.port);
    proxies.push(proxy);
    // By this address the cluster names the node from now on.
    await owner.client.config('SET', 'cluster-announce-port', String(proxy.port));
    await seeOwner(proxy);
    await expectOne(owner, proxy, { url: other.url, variables: { REDIS_MODE: 'cluster' }, prefix: '{test}' });
  });
});

describeUnless(whyNoNodes, 'releases that store values differently', () => {
  it('do not read each other’s pages, and share the limits', async () => {
    const redis = await startRedis();
    const options = { prefix: 'test', source: 'keyapi' };
    const one = await start(redis, { creditsPerDay: 4, toRedisKey: (name) => toKeyName(name, options) });
    const other = { ...options, version: 'v0' };
    const two = await start(redis, { creditsPerDay: 4, toRedisKey: (name) => toKeyName(name, other) });
    await redis.client.hset('test:v1:keyapi:budget', 'openAt', 0);
    await one.replica.read({ first: 1 });
    await two.replica.read({ first: 1 });
    expect(calls).toBe(2);
    expect(await call(two.replica)).toBe('CREDIT_BUDGET_EXHAUSTED');
    const pages = (await redis.client.keys('*:page:*')).sort();
    expect(pages).toEqual(['test:v0:keyapi:page:US:7:VIEWS:1', 'test:v1:keyapi:page:US:7:VIEWS:1']);
  });

  it('continue with the budget that release 0.2.0 has stored', async () => {
    const redis = await startRedis();
    await redis.client.hset('test:budget', 'day', toUtcDay(Date.now()), 'spent', 6, 'openAt', 0);
    const { replica } = await start(redis);
    expect([await call(replica), await call(replica, 2)]).toEqual(['ok', 'CREDIT_BUDGET_EXHAUSTED']);
    expect(replica.waits()).toBe(0);
  });
});
