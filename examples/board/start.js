// Builds and serves the board, with the API at `API_URL` or one that it starts itself, on demo data.
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { readEnvironment } from '../../dist/config/environment.js';

const { env } = process;
// With the file .env, which the API reads by itself: they are not added to the environment, where they would hide it.
const { variables } = readEnvironment(env);
const root = fileURLToPath(new URL('.', import.meta.url));

/** Starts the API in this process. */
async function startApi() {
  // Real charts cost credits, so demo data is the default.
  if (!variables.KEYAPI_EMULATOR?.trim()) env.KEYAPI_EMULATOR = 'true';
  if (!variables.LOG_LEVEL) env.LOG_LEVEL = 'warn';
  // Importing it starts the server; if that fails, it logs the reason and ends the process.
  await import('../../dist/main.js');
  return `http://${variables.HOST || 'localhost'}:${variables.PORT || 4000}`;
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

env.API_URL = variables.API_URL || (await startApi());
try {
  await build({ root, logLevel: 'warn' });
  console.log(`The board: ${await serve()}\nThe API:   ${env.API_URL}/graphql`);
} catch (error) {
  console.error(`The board cannot be served: ${error.message}`);
  process.exit(1);
}
