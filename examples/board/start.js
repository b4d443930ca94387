// Builds and serves the board, with the API at `API_URL`, the one that already listens at `PORT`, or one of its own.
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { readEnvironment } from '../../dist/config/environment.js';

const { env } = process;
// With the file .env, which the API reads by itself: they are not added to the environment, where they would hide it.
const { variables } = readEnvironment(env);
const root = fileURLToPath(new URL('.', import.meta.url));

/** What the API at this address gets its data from: `emulator` or `keyapi`; undefined if it is not this API. */
async function findSource(url) {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ __typename }' }),
    signal: AbortSignal.timeout(5000),
  };
  try {
    const { extensions } = await (await fetch(`${url}/graphql`, request)).json();
    return extensions.upstream.source;
  } catch {
    return undefined;
  }
}

/** The API that already runs, if there is one. */
async function findApi() {
  if (variables.API_URL) return variables.API_URL;
  const url = `http://${variables.HOST || '127.0.0.1'}:${variables.PORT || 4000}`;
  return (await findSource(url)) && url;
}

/** Starts an API in this process. */
async function startApi() {
  // Not at `PORT`: `npm start` may want it later.
  env.PORT = String(await findFreePort());
  env.HOST = '127.0.0.1';
  // Real charts cost credits, so demo data is the default.
  if (!variables.KEYAPI_EMULATOR?.trim()) env.KEYAPI_EMULATOR = 'true';
  if (!variables.LOG_LEVEL) env.LOG_LEVEL = 'warn';
  // Importing it starts the server; if that fails, it logs the reason and ends the process.
  await import('../../dist/main.js');
  return `http://${env.HOST}:${env.PORT}`;
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

const found = await findApi();
env.API_URL = found ?? (await startApi());
const data = (await findSource(env.API_URL)) === 'keyapi' ? 'KeyAPI, which costs credits' : 'demo data';
try {
  await build({ root, logLevel: 'warn' });
  console.log(`The board: ${await serve()}`);
  console.log(`The API:   ${env.API_URL}/graphql (${found ? 'already running' : 'its own'}, on ${data})`);
} catch (error) {
  console.error(`The board cannot be served: ${error.message}`);
  process.exit(1);
}
