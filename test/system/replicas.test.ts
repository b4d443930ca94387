import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { EmulatorSwitches } from '../../src/keyapi/emulator/emulator.ts';
import { range } from '../support/charts.ts';
import { FAST, type Fleet, type Replica, startFleet } from './support/fleet.ts';
import { poll } from './support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';
import { runTrace, TRACE_TIMEOUT_MS } from './support/runTrace.ts';

let redis: TestRedis;
let fleet: Fleet;

beforeEach(async () => {
  redis = await startRedis();
});

afterEach(async () => {
  redis.thaw();
  await fleet.close();
  await redis.close();
});

/** Starts replicas that share this Redis. */
async function start(
  count: number,
  variables: Record<string, string> = {},
  switches: Partial<EmulatorSwitches> = {},
): Promise<readonly Replica[]> {
  fleet = await startFleet(count, { ...FAST, REDIS_URL: redis.url, ...variables }, switches);
  return fleet.replicas;
}

function top(region = 'US', first = 20): string {
  return `{ trendingVideos(region: "${region}", first: ${first}) { stale nodes { itemId } } }`;
}

const seeRedis = (state: 'up' | 'down'): Promise<void> => fleet.seeRedis(state);

/** Whether an operation gets a stale top of the chart. */
async function isStale(replica: Replica): Promise<boolean | undefined> {
  const result = await replica.query<{ trendingVideos: { stale: boolean } }>(top());
  expect(result.errors).toBeUndefined();
  return result.data?.trendingVideos.stale;
}

describeWithRedis('replicas that share a Redis', () => {
  it('make one upstream request for each page under concurrent load', async () => {
    const replicas = await start(3);
    const release = fleet.emulator.hold();
    const load = range(1, 100).flatMap(() => replicas.map((replica) => replica.query(top('US', 60))));
    await fleet.emulator.seeRequests(3);
    // By then each of them has read the operations sent before.
    await Promise.all(replicas.map((replica) => replica.readiness()));
    release();
    const results = await Promise.all(load);
    expect(results.filter(({ errors }) => errors)).toEqual([]);
    expect([...fleet.emulator.bill].sort()).toEqual(['US:7:VIEWS:1', 'US:7:VIEWS:2', 'US:7:VIEWS:3']);
    const reportedRequests = results.reduce((sum, { extensions }) => sum + extensions.upstream.requests, 0);
    expect(reportedRequests).toBe(3);
  });

  it('find videos by id on pages that another replica fetched, at no cost', async () => {
    const [first, second] = await start(2);
    const fetched = await first?.query<{ trendingVideos: { nodes: { itemId: string }[] } }>(top('DE'));
    const itemIds = fetched?.data?.trendingVideos.nodes.map(({ itemId }) => itemId) ?? [];
    const found = await second?.query(
      `{ trendingVideosByItemId(itemIds: ${JSON.stringify([...itemIds, '1'])}) { itemId } }`,
    );
    expect(itemIds).toHaveLength(20);
    expect(found).toMatchObject({
      data: { trendingVideosByItemId: [...itemIds.map((itemId) => ({ itemId })), null] },
      extensions: { upstream: { requests: 0, pages: { cached: 1 } } },
    });
    expect(fleet.emulator.bill).toEqual(['DE:7:VIEWS:1']);
  });

  it('make one more request when the page has expired', async () => {
    const replicas = await start(3, { CACHE_TTL_SECONDS: '4' });
    const ask = () =>
      Promise.all(replicas.flatMap((replica) => range(1, 20).map(() => replica.query(top()))));
    await ask();
    expect(fleet.emulator.bill).toHaveLength(1);
    const release = fleet.emulator.hold();
    await poll(async () => (await Promise.all(replicas.map(isStale))).every(Boolean));
    await ask();
    release();
    await poll(async () => !(await Promise.all(replicas.map(isStale))).some(Boolean));
    expect(fleet.emulator.bill).toHaveLength(2);
  });

  it('wait at most one attempt for a replica that is killed while it fetches a page', async () => {
    const attemptMs = 2000;
    const [first, second, third] = await start(3, { KEYAPI_TIMEOUT_MS: String(attemptMs) });
    const release = fleet.emulator.hold();
    void first?.query(top()).catch(() => undefined);
    await fleet.emulator.seeRequests(1);
    const waiting = [second?.query(top()), third?.query(top())];
    await Promise.all([second?.readiness(), third?.readiness()]);
    first?.program.child.kill('SIGKILL');
    await first?.program.exit;
    // The others wait until it expires.
    const [lock = ''] = await redis.client.keys('*:lock:*');
    expect(await redis.client.pttl(lock)).toBeLessThanOrEqual(attemptMs);
    release();
    for (const result of await Promise.all(waiting)) expect(result?.errors).toBeUndefined();
    expect(fleet.emulator.bill).toHaveLength(2);
  });

  it('make at most one more request when a replica freezes while it fetches a page', async () => {
    const [first, second] = await start(2, { KEYAPI_TIMEOUT_MS: '2000' });
    const release = fleet.emulator.hold();
    const slow = first?.query(top());
    await fleet.emulator.seeRequests(1);
    first?.program.child.kill('SIGSTOP');
    release();
    expect(await second?.query(top())).toMatchObject({ extensions: { upstream: { requests: 1 } } });
    first?.program.child.kill('SIGCONT');
    expect((await slow)?.errors).toBeUndefined();
    expect(fleet.emulator.bill).toHaveLength(2);
    await poll(async () => {
      const windows = await Promise.all([first?.query(top()), second?.query(top())]);
      return isDeepStrictEqual(windows[0]?.data, windows[1]?.data);
    });
    expect(fleet.emulator.bill).toHaveLength(2);
  });

  it('keep to the rate limit of the account together', async () => {
    const replicas = await start(3, { KEYAPI_QPS: '8' }, { qps: 8 });
    // A replica that has just started uses its share of the rate until it knows that the others have found Redis too.
    const regions = ['US', 'GB', 'DE', 'FR', 'ES', 'IT'];
    const results = await Promise.all(
      replicas.flatMap((replica, index) =>
        range(0, 5).map((number) => replica.query(top(regions[(number + index) % 6], 100))),
      ),
    );
    expect(results.filter(({ errors }) => errors)).toEqual([]);
    expect(fleet.emulator.bill).toHaveLength(30);
  });

  it('all stop calling upstream when it refuses the account', async () => {
    const replicas = await start(3, {}, { token: 'another' });
    const results = [];
    for (const [index, region] of ['US', 'GB', 'DE', 'FR', 'ES', 'IT'].entries()) {
      results.push(await replicas[index % 3]?.query(top(region)));
    }
    const code = { extensions: { code: 'UPSTREAM_UNAUTHENTICATED', retryable: false } };
    expect(results.map((result) => result?.errors)).toMatchObject(results.map(() => [code]));
    expect(fleet.emulator.bill).toHaveLength(1);
  });

  it('share one budget, even when they are killed and restarted', async () => {
    const replicas = await start(3, { CREDIT_BUDGET_PER_DAY: '10' });
    const regions = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'BR', 'MX', 'JP', 'IN'];
    await Promise.all(regions.slice(0, 3).map((region, index) => replicas[index]?.query(top(region))));
    expect(fleet.emulator.bill).toHaveLength(3);
    for (const { program } of replicas) program.child.kill('SIGKILL');
    const late = await Promise.all([fleet.start(), fleet.start()]);
    const results = await Promise.all(
      regions.slice(3).map((region, index) => late[index % 2]?.query(top(region))),
    );
    expect(fleet.emulator.bill).toHaveLength(5);
    const codes = results.flatMap((result) => result?.errors?.map(({ extensions }) => extensions.code) ?? []);
    expect(codes).toEqual(range(1, 5).map(() => 'CREDIT_BUDGET_EXHAUSTED'));
  });

  it('execute every operation while Redis freezes, crashes and restarts empty, and fetch no cached page again', async () => {
    const replicas = await start(3, { REDIS_TIMEOUT_MS: '1200' });
    await Promise.all(replicas.map((replica) => replica.query(top('US', 100))));
    let isOver = false;
    const failed: unknown[] = [];
    const load = replicas.map(async (replica) => {
      while (!isOver) {
        const result = await replica.query(top('US', 100));
        if (result.errors) failed.push(result.errors);
        await sleep(5);
      }
    });
    redis.freeze();
    await seeRedis('down');
    redis.thaw();
    await seeRedis('up');
    await redis.kill();
    await seeRedis('down');
    await redis.start();
    await seeRedis('up');
    await poll(async () => (await redis.client.keys('*:page:*')).length === 5);
    isOver = true;
    await Promise.all(load);
    expect(failed).toEqual([]);
    expect(fleet.emulator.bill).toHaveLength(5);
    const late = await fleet.start();
    expect(await late.query(top('US', 100))).toMatchObject({ extensions: { upstream: { requests: 0 } } });
  });

  it('never reveal the password of Redis', async () => {
    const { port } = new URL(redis.url);
    const [replica] = await start(1, {
      REDIS_URL: `redis://:pass-word@127.0.0.1:${port}`,
      LOG_LEVEL: 'trace',
    });
    await replica?.query(top());
    await redis.client.config('SET', 'requirepass', 'pass-word');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await seeRedis('up');
    await replica?.query(top('DE'));
    await redis.client.config('SET', 'requirepass', 'changed');
    await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await replica?.program.see(/Redis is down.*|"reason":"WRONGPASS/);
    expect(replica?.program.output()).not.toContain('pass-word');
    expect(JSON.stringify(await replica?.readiness())).not.toContain('pass-word');
  });

  it.each([1, 4])(
    'fetch each page of a trace once (replicas: %d)',
    async (count) => {
      await start(count);
      const { neededPages, failed, reportedRequests } = await runTrace(fleet);
      expect(failed).toEqual([]);
      expect([...fleet.emulator.bill].sort()).toEqual(neededPages);
      expect(reportedRequests).toBe(fleet.emulator.bill.length);
    },
    TRACE_TIMEOUT_MS,
  );

  it(
    'execute every operation of a trace although Redis crashes halfway, and report all requests',
    async () => {
      await start(4);
      const { neededPages, failed, reportedRequests } = await runTrace(fleet, () => redis.kill());
      expect(failed).toEqual([]);
      expect([...new Set(fleet.emulator.bill)].sort()).toEqual(neededPages);
      expect(reportedRequests).toBe(fleet.emulator.bill.length);
    },
    TRACE_TIMEOUT_MS,
  );
});
