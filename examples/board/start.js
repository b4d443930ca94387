// Builds the board and serves it, in front of an API of its own on demo data, or of the one at `API_URL`.
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const { env } = process;
const root = fileURLToPath(new URL('.', import.meta.url));

/** Starts the API in this process, which ends as it does. */
async function startApi() {
  // Real charts cost credits: they have to be asked for by name.
  env.KEYAPI_EMULATOR ??= 'true';
  env.LOG_LEVEL ??= 'warn';
  // The program itself, which listens once it is loaded, and has said what is wrong where it does not.
  await import('../../dist/main.js');
  if (process.exitCode) process.exit();
  return `http://${env.HOST ?? 'localhost'}:${env.PORT ?? 4000}`;
}

/** Serves what was built. */
async function serve() {
  const others = process.listeners('SIGTERM');
  const server = await preview({ root, preview: { port: Number(env.BOARD_PORT ?? 4173), strictPort: true } });
  // Vite's own handler would end the process before the API has answered what it was asked.
  for (const listener of process.listeners('SIGTERM')) {
    if (others.length > 0 && !others.includes(listener)) process.off('SIGTERM', listener);
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
