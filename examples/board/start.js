// Builds and serves the board, with the API at `API_URL`, the one that already listens at `PORT`, or one of its own.
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { readEnvironment } from '../../dist/config/environment.js';

const { env } = process;
// With the file .env, which the API reads by itself: they are not added to the environment, where they would hide it.
const { variables } = readEnvironment(env);
const root = fileURLToPath(new URL('.', import.meta.url));

/** What the API at this address gets its data from: `emulator` or `keyapi`; undefined if none responds there, or only with a key. */
async function findSource(url) {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
    signal: AbortSignal.timeout(20_000),
  };
  try {
    const { data, extensions } = await (await fetch(`${url}/graphql`, request)).json();
    return data && extensions.upstream.source;
  } catch {
    return undefined;
  }
}

/** The address at which `npm start` listens, now or later. */
function toUrl() {
  const host = variables.HOST?.trim() || '127.0.0.1';
  const reachable = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host;
  const port = variables.PORT?.trim() || 4000;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
}

/** Starts an API in this process. */
async function startApi() {
  const port = await findFreePort();
  // It is for the board alone, and leaves the ports of `npm start` free.
  Object.assign(env, { HOST: '127.0.0.1', PORT: port, METRICS_PORT: '' });
  // The page sends its own documents, without a key.
  Object.assign(env, { API_KEYS: '', PERSISTED_DOCUMENTS_ONLY: '' });
  // Real charts cost credits, so demo data is the default.
  if (!variables.KEYAPI_EMULATOR?.trim()) env.KEYAPI_EMULATOR = 'true';
  if (!variables.LOG_LEVEL) env.LOG_LEVEL = 'warn';
  // Importing it starts the server; if that fails, it logs the reason and ends the process.
  await import('../../dist/main.js');
  return `http://127.0.0.1:${port}`;
}

/** A port that nothing listens on. */
function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Serves the build. */
async function serve() {
  const existing = process.listeners('SIGTERM');
  const port = Number(variables.BOARD_PORT || 4173);
  const server = await preview({ root, preview: { port, strictPort: true } });
  // Vite's handler would end the process before the API has finished its requests.
  for (const listener of process.listeners('SIGTERM')) {
    if (existing.length > 0 && !existing.includes(listener)) process.off('SIGTERM', listener);
  }
  return server.resolvedUrls?.local[0];
}

const asked = variables.API_URL?.trim().replace(/\/+$/, '');
const running = asked || ((await findSource(toUrl())) && toUrl());
env.API_URL = running || (await startApi());
const source = await findSource(env.API_URL);
const data =
  { emulator: 'on demo data', keyapi: 'on KeyAPI, which costs credits' }[source] ?? 'but does not respond';
try {
  await build({ root, logLevel: 'warn' });
  console.log(`The board: ${await serve()}`);
  console.log(`The API:   ${env.API_URL}/graphql (${running ? 'already running' : 'its own'}, ${data})`);
} catch (error) {
  const hint = /already in use/.test(error.message)
    ? ': stop the program that uses it, or set BOARD_PORT'
    : '';
  console.error(`The board cannot be served: ${error.message}${hint}`);
  process.exit(1);
}
