import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from '@jest/globals';
import { Redis } from 'ioredis';

/** A Redis that can be done harm to. */
export interface TestRedis {
  readonly url: string;
  /** For looking at what is there, and putting there what should not be. */
  readonly client: Redis;
  /** Ends it at once; nothing is kept. */
  kill(): Promise<void>;
  /** Starts it again, empty, where it was. */
  start(): Promise<void>;
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** A Redis that the tests may empty and configure as they like; without it they start a server of their own. */
const GIVEN_URL = process.env.TEST_REDIS_URL;

/** Why the tests have no Redis; undefined when they have one. */
const whyNone =
  GIVEN_URL || hasProgram('redis-server')
    ? undefined
    : 'redis-server is not on the PATH, and TEST_REDIS_URL is not set';

/** Why a Redis that speaks TLS cannot be had; undefined when it can. */
export const whyNoTls =
  !GIVEN_URL && hasProgram('redis-server') && hasProgram('openssl')
    ? undefined
    : 'it takes redis-server and openssl on the PATH, and no TEST_REDIS_URL';

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** A block of tests that need a Redis; skipped, with the reason, where there is none. */
export function describeWithRedis(name: string, tests: () => void): void {
  if (whyNone === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${whyNone})`, tests);
}

/** An empty Redis: the one that is given, else a `redis-server` on a free port. */
export function startRedis(): Promise<TestRedis> {
  return GIVEN_URL ? useRedis(new URL(GIVEN_URL)) : startServer();
}

async function startServer(): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'redis-'));
  const port = await findFreePort();
  let server: ChildProcess | undefined;
  const client = createClient(`redis://127.0.0.1:${port}`);

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
    server = spawn('redis-server', args, { stdio: 'ignore' });
    while (client.status !== 'ready') {
      await client.connect().catch(() => new Promise((resolve) => setTimeout(resolve, 20)));
    }
  }

  async function kill(): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
    while (client.status !== 'end') await new Promise((resolve) => setTimeout(resolve, 5));
  }

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
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

/** A server that is not ours to kill or to stop: it shuts our clients out, or lets them wait for two seconds. */
async function useRedis(url: URL): Promise<TestRedis> {
  const client = createClient(url.href);
  await client.connect();
  await client.flushall();
  const letIn = () => client.config('SET', 'requirepass', url.password);
  return {
    url: url.href.replace(/\/$/, ''),
    client,
    kill: async () => {
      await client.config('SET', 'requirepass', 'nobody knows');
      await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    },
    start: async () => {
      await client.flushall();
      await letIn();
    },
    freeze: () => void client.call('CLIENT', 'PAUSE', '2000', 'ALL'),
    thaw: () => undefined,
    close: async () => {
      await letIn();
      client.disconnect();
    },
  };
}

function createClient(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);
  return client;
}

/** A port of 127.0.0.1 that nobody listens on. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
