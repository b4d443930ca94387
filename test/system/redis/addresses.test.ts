import { afterEach, expect, it } from '@jest/globals';
import { findFreePort } from '../../support/freePort.ts';
import { page } from '../../support/sources.ts';
import { describeUnless } from '../support/describeWith.ts';
import { startServer, type TestServer, whyNoNodes } from '../support/redis.ts';
import { SENTINEL_NAME } from '../support/redisSentinel.ts';
import { startReplica, type TestReplica } from '../support/replica.ts';

let servers: TestServer[] = [];
let replica: TestReplica | undefined;

afterEach(async () => {
  await replica?.close();
  await Promise.all(servers.map((server) => server.close()));
  [replica, servers] = [undefined, []];
});

async function startRedis(...args: readonly string[]): Promise<TestServer> {
  const server = await startServer(...args);
  servers.push(server);
  return server;
}

function startSentinelOf(port: number): Promise<TestServer> {
  return startRedis('--sentinel', '--sentinel', 'monitor', SENTINEL_NAME, '127.0.0.1', String(port), '1');
}

/** Starts a replica that knows these sentinels; returns why it could not be connected at first. */
async function connect(...ports: readonly number[]): Promise<readonly string[]> {
  replica = await startReplica({
    url: `redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    variables: { REDIS_MODE: 'sentinel', REDIS_SENTINEL_NAME: SENTINEL_NAME },
    source: async () => page,
  });
  return replica.events.flatMap((event) => (event.type === 'redisDown' ? [event.reason] : []));
}

describeUnless(whyNoNodes, 'of several addresses', () => {
  it('the first that responds is used', async () => {
    const primary = await startRedis();
    const sentinel = await startSentinelOf(primary.port);
    expect(await connect(await findFreePort(), sentinel.port)).toEqual([]);
  });

  it('another one is asked after one that names a primary that cannot be reached', async () => {
    const primary = await startRedis();
    const deadPort = await findFreePort();
    const [outdated, current] = [await startSentinelOf(deadPort), await startSentinelOf(primary.port)];
    expect(await connect(outdated.port, current.port)).toEqual([
      `connect ECONNREFUSED 127.0.0.1:${deadPort}`,
    ]);
  });
});
