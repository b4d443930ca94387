// Builds the board, starts the API on demo data, and serves the board beside it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const root = fileURLToPath(new URL('.', import.meta.url));
const { BOARD_PORT = '4173', PORT = '4000' } = process.env;
const api = `http://localhost:${PORT}`;

/** Starts the API, unless `API_URL` says that there is one; resolves with its address once it takes operations. */
async function startApi() {
  if (process.env.API_URL) return process.env.API_URL;
  const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  // Real charts cost credits: they have to be asked for by name.
  const env = { KEYAPI_EMULATOR: 'true', LOG_LEVEL: 'warn', ...process.env };
  const child = spawn(process.execPath, [program], { env, stdio: 'inherit' });
  const exit = once(child, 'exit').then(([code]) => process.exit(code ?? 1));
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const isReady = () =>
    fetch(`${api}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await Promise.race([isReady(), exit]))) await sleep(50);
  return api;
}

process.env.API_URL = await startApi();
await build({ root, logLevel: 'warn' });
const server = await preview({ root, preview: { port: Number(BOARD_PORT), strictPort: true } });
console.log(`The board: ${server.resolvedUrls?.local[0]}\nThe API:   ${process.env.API_URL}/graphql`);
