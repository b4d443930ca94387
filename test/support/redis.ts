import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe } from '@jest/globals';
import { Redis } from 'ioredis';

/** A `redis-server` of the test's own, which can be done harm to. */
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

/** Why there is no `redis-server` to start; undefined when there is one. */
export const whyNoRedis = findRedis();

function findRedis(): string | undefined {
  try {
    execFileSync('redis-server', ['--version']);
    return undefined;
  } catch {
    return 'redis-server is not on the PATH';
  }
}

/** A block of tests that need a Redis; skipped, with the reason, where there is none. */
export function describeWithRedis(name: string, tests: () => void): void {
  if (whyNoRedis === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${whyNoRedis})`, tests);
}

/** Starts a server on a free port, with these options beside our own. */
export async function startRedis(...options: string[]): Promise<TestRedis> {
  const folder = await mkdtemp(path.join(tmpdir(), 'redis-'));
  const port = await findFreePort();
  let server: ChildProcess | undefined;
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: null });
  client.on('error', () => undefined);

  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...options];
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
      if (client.status !== 'end') client.disconnect();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
