import { setFlagsFromString } from 'node:v8';
import type { FastifyInstance } from 'fastify';
import { createApp } from './compose/createApp.ts';
import { createAppLog } from './compose/log.ts';
import { SETTLE_MS } from './compose/pages.ts';
import { ConfigError, loadConfig } from './config/loadConfig.ts';
import { endProcessInOrder } from './endProcess.ts';
import { DRAIN_MS } from './server/drainOnClose.ts';

/** A backstop: the server drains, pages on their way settle, and 2 seconds are for the cache file. */
const CLOSE_MS = DRAIN_MS + SETTLE_MS + 2000;

async function main(): Promise<void> {
  // What is kept is turned over all the time. V8 would let the dead grow to a multiple of the living before it looks.
  setFlagsFromString('--heap-growing-percent=30');
  const config = loadConfig(process.env);
  const log = createAppLog(config);
  let server: FastifyInstance | undefined;

  // Before all else: as a container's first process, one without a handler would never see the signal.
  endProcessInOrder({ log, closeMs: CLOSE_MS, close: async () => server?.close() });
  server = await createApp(config, { log });
  try {
    await server.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: (address) => `GraphQL at ${address}/graphql`,
    });
  } catch (error) {
    await server.close();
    throw error;
  }
}

try {
  await main();
} catch (error) {
  // Nothing is set up yet that could say it better; a stack would only hide what is wrong.
  const isExpected = error instanceof ConfigError || (error instanceof Error && 'code' in error);
  process.stderr.write(
    `${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
