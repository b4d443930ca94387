import { type ChildProcess, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startProgram } from '../test/system/support/program.ts';

/** A Redis server that is killed and restarted at intervals. */
export interface SoakRedis {
  readonly url: string;
  /** The number of restarts. */
  readonly restarts: () => number;
  close(): Promise<void>;
}

const RESTART_INTERVAL_MS = 45_000;
const DOWN_MS = 3000;

/** Starts `redis-server` on a free port and restarts it, empty, every 45 seconds; null if it is not installed. */
export async function startRestartingRedis(): Promise<SoakRedis | null> {
  if (spawnSync('redis-server', ['-v']).error) return null;
  const folder = await mkdtemp(path.join(tmpdir(), 'soak-redis-'));
  const port = await findFreePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  let server: ChildProcess | undefined;
  let restarts = 0;
  let isClosed = false;
  process.once('exit', () => server?.kill('SIGKILL'));

  async function start(): Promise<void> {
    const program = startProgram(['redis-server', ...args]);
    server = program.child;
    await program.see(/Ready to accept connections/);
  }

  function restart(): void {
    server?.kill('SIGKILL');
    restarts++;
    starting = setTimeout(() => {
      void start().catch((error) => {
        if (!isClosed) throw error;
      });
    }, DOWN_MS);
  }

  let starting: NodeJS.Timeout | undefined;
  await start();
  const restarting = setInterval(restart, RESTART_INTERVAL_MS);
  return {
    url: `redis://127.0.0.1:${port}`,
    restarts: () => restarts,
    close: async () => {
      isClosed = true;
      clearInterval(restarting);
      clearTimeout(starting);
      server?.kill('SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A free port of 127.0.0.1. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
