import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { findFreePort } from '../../support/freePort.ts';
import { describeUnless, findProgram } from './describeWith.ts';
import { poll } from './poll.ts';

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
  GIVEN_URL || findProgram('redis-server')
    ? undefined
    : 'redis-server is not on the PATH, and TEST_REDIS_URL is not set';

/** Why a Redis that speaks TLS cannot be had; undefined when it can. */
export const whyNoTls =
  !GIVEN_URL && findProgram('redis-server') && findProgram('openssl')
    ? undefined
    : 'it takes redis-server and openssl on the PATH, and no TEST_REDIS_URL';

/** A block of tests that need a Redis; skipped, with the reason, where there is none. */
export function describeWithRedis(name: string, tests: () => void): void {
  describeUnless(whyNone, name, tests);
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
    const started = spawn('redis-server', args, { stdio: 'ignore' });
    server = started;
    // It is ready when it answers.
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

/** A server that is not ours to kill or to stop: it shuts our clients out, or lets them wait for four seconds. */
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
    freeze: () => void client.call('CLIENT', 'PAUSE', '4000', 'ALL'),
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

/** Redis's clock, in Unix milliseconds. */
export async function timeOf({ client }: TestRedis): Promise<number> {
  const [seconds = 0, microseconds = 0] = await client.time();
  return seconds * 1000 + microseconds / 1000;
}

/** Every command that Redis is sent until `stop`, in their order; not those of scripts. */
export async function watchCommands({ client }: TestRedis) {
  const monitor = await client.duplicate({ lazyConnect: false, retryStrategy: null }).monitor();
  const commands: string[][] = [];
  monitor.on('monitor', (_time, [name = '', ...args]: string[], source: string) => {
    if (source !== 'lua') commands.push([name.toLowerCase(), ...args]);
  });
  return {
    commands,
    stop: async () => {
      // It comes after all that was sent before.
      await client.echo('the end');
      await poll(() => commands.some(([name, text]) => name === 'echo' && text === 'the end'));
      monitor.disconnect();
    },
  };
}
