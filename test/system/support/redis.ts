import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { findFreePort } from '../../support/freePort.ts';
import { describeUnless, findProgram } from './describeWith.ts';
import { poll } from './poll.ts';

/** A Redis that tests can break. */
export interface TestRedis {
  readonly url: string;
  /** For inspecting the data, and for writing invalid data. */
  readonly client: Redis;
  /** Stops it at once; its data is lost. */
  kill(): Promise<void>;
  /** Starts it again, empty, at the same address. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** URL of a Redis that the tests may empty and configure; without one they start a server of their own. */
const GIVEN_URL = process.env.TEST_REDIS_URL;

/** Why no Redis is available; undefined when one is. */
const whyNone =
  GIVEN_URL || findProgram('redis-server')
    ? undefined
    : 'redis-server is not on the PATH, and TEST_REDIS_URL is not set';

/** Why no clusters, nor sentinels, are available; undefined when they are. */
export const whyNoNodes =
  !GIVEN_URL && findProgram('redis-server')
    ? undefined
    : 'it needs redis-server on the PATH, and no TEST_REDIS_URL';

/** Why no Redis with TLS is available; undefined when one is. */
export const whyNoTls =
  !GIVEN_URL && findProgram('redis-server') && findProgram('openssl')
    ? undefined
    : 'it needs redis-server and openssl on the PATH, and no TEST_REDIS_URL';

/** A block of tests that need Redis; skipped when none is available. */
export function describeWithRedis(name: string, tests: () => void): void {
  describeUnless(whyNone, name, tests);
}

/** Gives an empty Redis: the one of `TEST_REDIS_URL`, else a new `redis-server` on a free port. */
export function startRedis(): Promise<TestRedis> {
  return GIVEN_URL ? useRedis(new URL(GIVEN_URL)) : startServer();
}

/** A `redis-server` of its own. */
export interface TestServer extends TestRedis {
  readonly port: number;
}

/** Starts a `redis-server` on a free port, with further arguments. */
export async function startServer(...furtherArgs: readonly string[]): Promise<TestServer> {
  const folder = await mkdtemp(path.join(tmpdir(), 'redis-'));
  const port = await findFreePort();
  // Sentinels store their state in it.
  const configFile = path.join(folder, 'redis.conf');
  await writeFile(configFile, '');
  let server: ChildProcess | undefined;
  const client = createClient(`redis://127.0.0.1:${port}`);

  async function start(): Promise<void> {
    const args = [configFile, '--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    const started = spawn('redis-server', [...args, ...furtherArgs], { stdio: 'ignore' });
    server = started;
    // It is ready when it responds.
    await poll(async () => {
      if (hasEnded(started)) throw new Error(`redis-server ended; is port ${port} taken?`);
      await client.connect().catch(() => undefined);
      return client.status === 'ready';
    });
  }

  async function kill(): Promise<void> {
    if (!server || hasEnded(server)) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
    await poll(() => client.status === 'end');
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    client,
    kill,
    start,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    close: async () => {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function hasEnded(server: ChildProcess): boolean {
  return server.exitCode !== null || server.signalCode !== null;
}

/** A server that the tests cannot kill or stop: `kill` locks clients out, `freeze` makes them wait for four seconds. */
async function useRedis(url: URL): Promise<TestRedis> {
  const client = createClient(url.href);
  await client.connect();
  await client.flushall();
  const restorePassword = () => client.config('SET', 'requirepass', url.password);
  return {
    url: url.href.replace(/\/$/, ''),
    client,
    kill: async () => {
      await client.config('SET', 'requirepass', 'nobody knows');
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    start: async () => {
      await client.flushall();
      await restorePassword();
    },
    freeze: () => void client.call('CLIENT', 'PAUSE', '4000', 'ALL'),
    thaw: () => undefined,
    close: async () => {
      await restorePassword();
      client.disconnect();
    },
  };
}

function createClient(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  return client;
}

/** Connects as with this `REDIS_URL` and these settings, with keys that begin with `test:`. */
export function toConnectionOptions(url: string, variables: Record<string, string> = {}) {
  const { redis: server } = loadConfig({ REDIS_URL: url, ...variables });
  if (!server) throw new Error('expected a URL');
  return { server, toRedisKey: (key: string): string => `test:${key}` };
}

/** Whether a Redis is a primary by now. A sentinel closes the connections to one whose role it changes. */
export async function isPrimary({ client }: TestRedis): Promise<boolean> {
  if (client.status === 'end') await client.connect();
  const info = await client.info('replication').catch(() => '');
  return info.includes('role:master');
}

/** Redis's clock, in Unix milliseconds. */
export async function timeOf({ client }: TestRedis): Promise<number> {
  const [seconds = 0, microseconds = 0] = await client.time();
  return seconds * 1000 + microseconds / 1000;
}

/** Records the commands that are sent to Redis until `stop`, in order, and apart from them those that scripts run. */
export async function watchCommands({ client }: TestRedis) {
  const monitor = await client.duplicate({ lazyConnect: false, retryStrategy: null }).monitor();
  const commands: string[][] = [];
  const inScripts: { readonly script: readonly string[]; readonly command: readonly string[] }[] = [];
  monitor.on('monitor', (_time, command: string[], source: string) => {
    const [name = '', ...args] = command;
    if (source === 'lua') inScripts.push({ script: commands.at(-1) ?? [], command });
    else commands.push([name.toLowerCase(), ...args]);
  });
  return {
    commands,
    inScripts,
    stop: async () => {
      // Arrives after all earlier commands.
      await client.echo('the end');
      await poll(() => commands.some(([name, text]) => name === 'echo' && text === 'the end'));
      monitor.disconnect();
    },
  };
}
