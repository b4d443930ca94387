import { createServer } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import type { DataEvent } from '../../../src/data/events.ts';
import { createRedisConnection } from '../../../src/data/redis/connection/redisConnection.ts';
import { findFreePort } from '../../support/freePort.ts';
import { page } from '../../support/sources.ts';
import { describeUnless } from '../support/describeWith.ts';
import { startFleet } from '../support/fleet.ts';
import { poll } from '../support/poll.ts';
import { startServer, type TestServer, toConnectionOptions, whyNoNodes } from '../support/redis.ts';
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

function reasonsOf({ events }: TestReplica): string[] {
  return events.flatMap((event) => (event.type === 'redisDown' ? [event.reason] : []));
}

/** Starts a replica that knows these sentinels; returns why it could not be connected at first. */
async function connect(...ports: readonly number[]): Promise<readonly string[]> {
  replica = await startReplica({
    url: `redis://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    variables: { REDIS_MODE: 'sentinel', REDIS_SENTINEL_NAME: SENTINEL_NAME },
    source: async () => page,
  });
  return reasonsOf(replica);
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

describeUnless(whyNoNodes, 'a long outage', () => {
  it('leaves nothing behind for each attempt to connect: nothing but the log is printed', async () => {
    const redis = await startRedis();
    const fleet = await startFleet(1, { REDIS_URL: redis.url });
    await fleet.seeRedis('up');
    await redis.kill();
    let attempts = 0;
    const deaf = createServer((socket) => {
      attempts++;
      socket.destroy();
    }).listen(redis.port, '127.0.0.1');
    // Node warns of more than ten listeners.
    await poll(() => attempts > 14);
    expect(fleet.replicas[0]?.program.output()).not.toMatch(/^[^{]/m);
    await fleet.close();
    deaf.close();
  });
});

describeUnless(whyNoNodes, 'an error that repeats what was sent', () => {
  it('is cut before that: Redis may have shortened a password', async () => {
    const redis = await startRedis('--rename-command', 'AUTH', '');
    const password = 'never-shown-'.repeat(20);
    const { server, toRedisKey } = toConnectionOptions(redis.url.replace('//', `//:${password}@`));
    const events: DataEvent[] = [];
    const onEvent = (event: DataEvent): void => void events.push(event);
    const options = { server, toRedisKey, timeoutMs: 30_000, clock: systemClock, onEvent };
    const connection = createRedisConnection(options);
    await connection.open();
    await poll(() => events.length > 0);
    await connection.close();
    expect(events[0]).toMatchObject({ type: 'redisDown', reason: "ERR unknown command 'auth'" });
    expect(JSON.stringify(events)).not.toContain('never-shown');
  });
});
