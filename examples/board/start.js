// Builds the board and serves it, in front of an API of its own on demo data, or of the one at `API_URL`.
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';

const { env } = process;
const root = fileURLToPath(new URL('.', import.meta.url));

if (!env.API_URL) {
  // Real charts cost credits: they have to be asked for by name.
  env.KEYAPI_EMULATOR ??= 'true';
  env.LOG_LEVEL ??= 'warn';
  // The program itself, which listens once it is loaded, and has said what is wrong where it does not.
  await import('../../dist/main.js');
  if (process.exitCode) process.exit();
  env.API_URL = `http://localhost:${env.PORT ?? 4000}`;
}
await build({ root, logLevel: 'warn' });
const server = await preview({ root, preview: { port: Number(env.BOARD_PORT ?? 4173), strictPort: true } });
console.log(`The board: ${server.resolvedUrls?.local[0]}\nThe API:   ${env.API_URL}/graphql`);
