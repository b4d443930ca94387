import { poll } from './poll.ts';
import { isPrimary, startServer, type TestServer } from './redis.ts';

/** A primary, its replica, and a sentinel. */
export interface TestSentinel {
  /** The address of the sentinel, for `REDIS_URL`. */
  readonly url: string;
  readonly sentinel: TestServer;
  readonly primary: TestServer;
  readonly replica: TestServer;
  /** Sets how long the primary must not respond to be replaced, in milliseconds. */
  setDownAfter(ms: number): Promise<unknown>;
  /** Waits until the sentinel says that this Redis is the primary, and it is. */
  seePrimary(node: TestServer): Promise<void>;
  close(): Promise<void>;
}

/** By which name the sentinel knows the primary. */
export const SENTINEL_NAME = 'charts';

/** Starts them; the first primary with further arguments. */
export async function startSentinel(...primaryArgs: readonly string[]): Promise<TestSentinel> {
  const primary = await startServer(...primaryArgs);
  const replica = await startServer('--replicaof', `127.0.0.1 ${primary.port}`);
  await poll(async () => (await replica.client.info('replication')).includes('master_link_status:up'));
  const sentinel = await startServer(
    '--sentinel',
    ...['--sentinel', 'monitor', SENTINEL_NAME, '127.0.0.1', String(primary.port), '1'],
    // How long the primary must not respond to be replaced, in milliseconds; and when another attempt may follow.
    ...['--sentinel', 'down-after-milliseconds', SENTINEL_NAME, '1000'],
    ...['--sentinel', 'failover-timeout', SENTINEL_NAME, '5000'],
  );
  // It replaces the primary only by a replica that it has found.
  await poll(async () => {
    const replicas = await sentinel.client.call('SENTINEL', 'REPLICAS', SENTINEL_NAME);
    return JSON.stringify(replicas).includes(String(replica.port));
  });

  async function seePrimary(server: TestServer): Promise<void> {
    await poll(async () => {
      const found = await sentinel.client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', SENTINEL_NAME);
      const isNamed = Array.isArray(found) && found[1] === String(server.port);
      return isNamed && isPrimary(server);
    });
  }

  return {
    url: sentinel.url,
    sentinel,
    primary,
    replica,
    setDownAfter: (ms) =>
      sentinel.client.call('SENTINEL', 'SET', SENTINEL_NAME, 'down-after-milliseconds', ms),
    seePrimary,
    close: async () => void (await Promise.all([sentinel, primary, replica].map((server) => server.close()))),
  };
}
