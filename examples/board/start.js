// Builds and serves the board, with the API at `API_URL` or one that it starts itself, on demo data.
import { statSync } from 'node:fs';
import { loadEnvFile } from 'node:process';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const { env } = process;
// The API reads the same file: both must agree on where it listens. If the file cannot be read, the API says why.
if (statSync('.env', { throwIfNoEntry: false })?.isFile()) loadEnvFile();
const root = fileURLToPath(new URL('.', import.meta.url));

/** Starts the API in this process. */
async function startApi() {
  // Real charts cost credits, so demo data is the default.
  env.KEYAPI_EMULATOR ||= 'true';
  env.LOG_LEVEL ||= 'warn';
  // Importing it starts the server; if that fails, it logs the reason and ends the process.
  await import('../../dist/main.js');
  return `http://${env.HOST || 'localhost'}:${env.PORT || 4000}`;
}

/** Serves the build. */
async function serve() {
  const existing = process.listeners('SIGTERM');
  const server = await preview({ root, preview: { port: Number(env.BOARD_PORT || 4173), strictPort: true } });
  // Vite's handler would end the process before the API has finished its requests.
  for (const listener of process.listeners('SIGTERM')) {
    if (existing.length > 0 && !existing.includes(listener)) process.off('SIGTERM', listener);
  }
  return server.resolvedUrls?.local[0];
}

env.API_URL ??= await startApi();
try {
  await build({ root, logLevel: 'warn' });
  console.log(`The board: ${await serve()}\nThe API:   ${env.API_URL}/graphql`);
} catch (error) {
  console.error(`The board cannot be served: ${error.message}`);
  process.exit(1);
}
