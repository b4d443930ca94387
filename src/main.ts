import { setFlagsFromString } from 'node:v8';
import type { FastifyInstance } from 'fastify';
import { createApp } from './compose/createApp.ts';
import { createAppLog } from './compose/log.ts';
import { SETTLE_MS } from './compose/pages.ts';
import { ConfigError, loadConfig } from './config/loadConfig.ts';
import { installShutdownHandlers } from './endProcess.ts';
import { DRAIN_MS } from './server/drainOnClose.ts';

/** Bounds closing: the server drains, pages in flight settle, and the cache file has 2 seconds. */
const CLOSE_MS = DRAIN_MS + SETTLE_MS + 2000;

async function main(): Promise<void> {
  // Cache churn creates garbage: limits how much the heap grows between major collections.
  setFlagsFromString('--heap-growing-percent=30');
  const config = loadConfig(process.env);
  const log = createAppLog(config);
  let server: FastifyInstance | undefined;

  // First of all: the first process of a container ignores signals that it has no handler for.
  installShutdownHandlers({ log, closeMs: CLOSE_MS, close: async () => server?.close() });
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
  // The log may not exist yet. For expected errors the message is enough.
  const isExpected = error instanceof ConfigError || (error instanceof Error && 'code' in error);
  process.stderr.write(
    `${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  process.exitCode = 1;
}
