import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below the ephemeral ports: the system assigns none of these between the check and the use. */
const FIRST_PORT = 20_000;
const PORTS_PER_WORKER = 1000;
const WORKERS = 12;

const first = FIRST_PORT + (Number(process.env.JEST_WORKER_ID ?? 0) % WORKERS) * PORTS_PER_WORKER;
/** Starts anywhere in the range, since two runs of the tests may overlap. */
let next = Math.floor(Math.random() * PORTS_PER_WORKER);

/** A port of 127.0.0.1 that nothing listens on; a different one on each call. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = first + (next++ % PORTS_PER_WORKER);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
