import { afterEach, describe, expect } from '@jest/globals';
import { range } from '../support/charts.ts';
import { itUnless } from './support/describeWith.ts';
import { FAST, type Fleet, startFleet } from './support/fleet.ts';
import { poll } from './support/poll.ts';
import { isPrimary, type TestServer, timeOf, whyNoNodes } from './support/redis.ts';
import { startCluster, type TestCluster } from './support/redisCluster.ts';
import { SENTINEL_NAME, startSentinel } from './support/redisSentinel.ts';
import { runTrace, TRACE_TIMEOUT_MS } from './support/runTrace.ts';

// Two replicas of ours, and several nodes of Redis.

/** Nodes of Redis, of which one has our keys. */
interface Nodes {
  readonly variables: Record<string, string>;
  /** The primary of our keys. */
  readonly primary: TestServer;
  /** What replaces it when it is down. */
  readonly standby: TestServer;
  /** Makes the standby the primary, while both are up. */
  failOver(): Promise<unknown>;
  /** Sets how long the primary must not respond to be replaced. */
  replaceAfter(ms: number): Promise<unknown>;
  /** Waits until the nodes agree that the standby is the primary. */
  seeFailover(): Promise<void>;
  close(): Promise<void>;
}

const NEVER_MS = 600_000;

let nodes: Nodes;
let fleet: Fleet;

afterEach(async () => {
  // Nothing but lines of the log is printed.
  for (const { program } of fleet.replicas) expect(program.output()).not.toMatch(/^[^{]/m);
  await fleet.close();
  await nodes.close();
});

async function startClusterNodes(): Promise<Nodes & TestCluster> {
  const cluster = await startCluster('trending-graphql');
  return {
    ...cluster,
    variables: { REDIS_MODE: 'cluster', REDIS_URL: cluster.url },
    primary: cluster.owner,
    standby: cluster.replica,
    failOver: () => cluster.replica.client.call('CLUSTER', 'FAILOVER'),
    replaceAfter: cluster.setNodeTimeout,
    seeFailover: () => cluster.seeOwner(cluster.replica),
  };
}

async function startSentinelNodes(...primaryArgs: readonly string[]) {
  const { url, primary, replica, sentinel, setDownAfter, seePrimary, close } = await startSentinel(
    ...primaryArgs,
  );
  return {
    variables: { REDIS_MODE: 'sentinel', REDIS_SENTINEL_NAME: SENTINEL_NAME, REDIS_URL: url },
    sentinel,
    primary,
    standby: replica,
    failOver: () => sentinel.client.call('SENTINEL', 'FAILOVER', SENTINEL_NAME),
    replaceAfter: setDownAfter,
    seeFailover: () => seePrimary(replica),
    close,
  };
}

/** Starts two replicas of ours. */
async function start(
  startNodes: () => Promise<Nodes>,
  variables: Record<string, string> = {},
): Promise<void> {
  nodes = await startNodes();
  fleet = await startFleet(2, { ...FAST, ...nodes.variables, ...variables });
  await fleet.seeRedis('up');
}

function top(region: string): string {
  return `{ trendingVideos(region: "${region}") { nodes { itemId } } }`;
}

/** Checks that a replica that starts now gets what was paid for from this Redis. */
async function expectShared({ client }: TestServer): Promise<void> {
  const paid = [...new Set(fleet.emulator.bill)];
  await poll(async () => {
    const keys = await client.keys('*:page:*');
    return paid.every((page) => keys.some((key) => key.endsWith(`:page:${page}`)));
  });
  const requests = fleet.emulator.bill.length;
  const late = await fleet.start();
  await fleet.seeRedis('up');
  const regions = paid.filter((page) => page.endsWith(':7:VIEWS:1')).map((page) => page.slice(0, 2));
  for (const region of regions) expect((await late.query(top(region))).errors).toBeUndefined();
  expect(regions).not.toEqual([]);
  expect(fleet.emulator.bill).toHaveLength(requests);
}

/** Checks that the replicas use the standby once it is the primary. */
async function expectFollowed(): Promise<void> {
  await nodes.seeFailover();
  await fleet.seeRedis('up');
  await expectShared(nodes.standby);
}

describe.each([
  ['a Redis Cluster', startClusterNodes],
  ['a primary that a sentinel knows', () => startSentinelNodes()],
])('replicas that share %s', (_name, startNodes) => {
  itWithNodes('fetch each page of a trace once', async () => {
    await start(startNodes);
    const { neededPages, failed, reportedRequests } = await runTrace(fleet);
    expect(failed).toEqual([]);
    expect([...fleet.emulator.bill].sort()).toEqual(neededPages);
    expect(reportedRequests).toBe(fleet.emulator.bill.length);
  });

  itWithNodes(
    'execute every operation of a trace although the primary is killed halfway, and follow',
    async () => {
      await start(startNodes);
      const { neededPages, failed, reportedRequests } = await runTrace(fleet, () => nodes.primary.kill());
      expect(failed).toEqual([]);
      expect([...new Set(fleet.emulator.bill)].sort()).toEqual(neededPages);
      expect(reportedRequests).toBe(fleet.emulator.bill.length);
      await expectFollowed();
    },
  );

  itWithNodes('continue while the primary is frozen, and follow', async () => {
    await start(startNodes);
    await fleet.replicas[0]?.query(top('US'));
    nodes.primary.freeze();
    // Redis counts as down from the first command on that it does not respond to.
    for (const replica of fleet.replicas) expect((await replica.query(top('DE'))).errors).toBeUndefined();
    await poll(() => isPrimary(nodes.standby));
    nodes.primary.thaw();
    await expectFollowed();
  });

  itWithNodes('follow when another node is made the primary', async () => {
    await start(startNodes);
    await fleet.replicas[0]?.query(top('US'));
    await nodes.failOver();
    await nodes.seeFailover();
    await fleet.replicas[1]?.query(top('DE'));
    await fleet.seeRedis('up');
    await expectShared(nodes.standby);
  });

  itWithNodes('share one budget, although the primary is killed', async () => {
    await start(startNodes, { CREDIT_BUDGET_PER_DAY: '10' });
    const buy = (regions: readonly string[]) =>
      Promise.all(regions.map((region, index) => fleet.replicas[index % 2]?.query(top(region))));
    await buy(['US', 'GB', 'DE']);
    await nodes.replaceAfter(NEVER_MS);
    await nodes.primary.kill();
    await fleet.seeRedis('down');
    const code = { extensions: { code: 'CREDIT_BUDGET_EXHAUSTED', retryable: true } };
    expect(await buy(['FR', 'ES'])).toMatchObject([{ errors: [code] }, { errors: [code] }]);
    await nodes.replaceAfter(1000);
    await nodes.seeFailover();
    await fleet.seeRedis('up');
    const results = await buy(['FR', 'ES', 'IT', 'BR', 'MX', 'JP']);
    expect(results.filter((result) => result?.errors)).toMatchObject(
      range(1, 4).map(() => ({ errors: [code] })),
    );
    expect(fleet.emulator.bill).toHaveLength(5);
  });
});

describe('replicas that share a Redis Cluster', () => {
  itWithNodes('execute every operation of a trace while their slot moves to another node', async () => {
    const cluster = await startClusterNodes();
    await start(async () => cluster);
    const whileMoving = top('NL');
    const { neededPages, failed, reportedRequests } = await runTrace(fleet, () =>
      // Operations go on while the keys of one script are on two nodes.
      cluster.moveSlot(async () => {
        for (const replica of fleet.replicas)
          expect((await replica.query(whileMoving)).errors).toBeUndefined();
      }),
    );
    expect(failed).toEqual([]);
    const bill = fleet.emulator.bill.filter((page) => !page.startsWith('NL'));
    expect([...new Set(bill)].sort()).toEqual(neededPages);
    expect(reportedRequests).toBe(bill.length);
    await fleet.seeRedis('up');
    await expectShared(cluster.other);
  });

  itWithNodes('continue when the node that their slot moves to stops responding', async () => {
    const cluster = await startClusterNodes();
    await start(async () => cluster);
    await fleet.replicas[0]?.query(top('US'));
    await cluster.setNodeTimeout(NEVER_MS);
    await cluster.moveSlot(async () => {
      cluster.other.freeze();
      await fleet.seeRedis('down');
      for (const replica of fleet.replicas) expect((await replica.query(top('US'))).errors).toBeUndefined();
      cluster.other.thaw();
    });
    await fleet.seeRedis('up');
    await expectShared(cluster.other);
  });

  itWithNodes('store all keys on one node', async () => {
    const cluster = await startClusterNodes();
    await start(async () => cluster, { CREDIT_BUDGET_PER_DAY: '100' });
    await Promise.all(fleet.replicas.map((replica) => replica.query(top('US'))));
    expect(await cluster.other.client.keys('*')).toEqual([]);
    const keys = await cluster.owner.client.keys('*');
    expect(keys).toContainEqual(expect.stringMatching(/:budget$/));
    expect(keys.filter((key) => !key.startsWith('{trending-graphql}:'))).toEqual([]);
  });
});

describe('replicas that share a primary that a sentinel knows', () => {
  itWithNodes('leave it as soon as another one is the primary, even if it continues', async () => {
    // Without this command a sentinel can neither close its connections nor make it a replica.
    const sentinels = await startSentinelNodes('--rename-command', 'CLIENT', '');
    await start(async () => sentinels);
    await fleet.replicas[0]?.query(top('US'));
    // Each replica listens to the sentinel, and does so again after a lost connection.
    const listeners = async (): Promise<string[]> =>
      String(await sentinels.sentinel.client.call('CLIENT', 'LIST', 'TYPE', 'pubsub')).match(/^id=\d+/gm) ??
      [];
    await poll(async () => (await listeners()).length === 2);
    const lost = await listeners();
    await sentinels.sentinel.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await poll(async () => (await listeners()).filter((id) => !lost.includes(id)).length === 2);
    await nodes.failOver();
    await nodes.seeFailover();
    const since = await timeOf(nodes.standby);
    await poll(async () => {
      const [key = ''] = await nodes.standby.client.keys('*:replicas');
      const [, lastHeartbeat] = await nodes.standby.client.zrange(key, -1, -1, 'WITHSCORES');
      return Number(lastHeartbeat) > since;
    });
    expect(await nodes.primary.client.info('replication')).toContain('role:master');
    await expectShared(nodes.standby);
  });
});

/** A test that needs nodes of Redis. */
function itWithNodes(name: string, test: () => Promise<void>): void {
  itUnless(whyNoNodes, name, test, TRACE_TIMEOUT_MS);
}
