import { setFlagsFromString } from 'node:v8';
import type { FastifyInstance } from 'fastify';
import type { DestinationStream } from 'pino';
import { createApp, SETTLE_MS } from './compose/createApp.ts';
import { createAppLog } from './compose/log.ts';
import { type Environment, readEnvironment } from './config/environment.ts';
import { listFileSettings } from './config/fileSettings.ts';
import { toListenError } from './config/listeners.ts';
import { loadConfig } from './config/loadConfig.ts';
import { collectSecrets } from './config/secrets.ts';
import { installShutdownHandlers } from './endProcess.ts';
import { createBatchedOutput } from './observe/log/batchedOutput.ts';
import { DRAIN_MS } from './server/drainOnClose.ts';
import { GRAPHIQL_PATH } from './server/explorer/explorerRoutes.ts';
import { logStartFailure } from './startFailure.ts';

/** Bounds closing: the server drains, what is in flight settles, and the cache file has 2 seconds. */
const CLOSE_MS = DRAIN_MS + SETTLE_MS + 2000;

async function main({ variables, file, problems }: Environment, output: DestinationStream): Promise<void> {
  // Cache churn creates garbage: limits how much the heap grows between major collections.
  setFlagsFromString('--heap-growing-percent=30');
  const config = loadConfig(variables, problems);
  const log = createAppLog(config, output);
  if (file) log.info({ file: file.path, ...listFileSettings(file) }, 'Settings file read');
  let server: FastifyInstance | undefined;
  /** Of the addresses that it listens at, the first. */
  let origin: string | undefined;

  // Installed first: PID 1 of a container ignores signals for which it has no handler.
  installShutdownHandlers({ log, closeMs: CLOSE_MS, close: async () => server?.close() });
  server = await createApp(config, { log });
  try {
    await server.listen({
      host: config.host,
      port: config.port,
      listenTextResolver: (address) => {
        origin ??= address;
        return `GraphQL at ${address}/graphql`;
      },
    });
  } catch (error) {
    await server.close();
    throw toListenError(error, config);
  }
  // What a newcomer looks for next.
  const hasExplorer = !config.explorer.trustedOnly && server.hasRoute({ method: 'GET', url: GRAPHIQL_PATH });
  if (hasExplorer) log.info(`Explorer at ${origin}${GRAPHIQL_PATH}`);
  log.info(`Health at ${origin}/readyz`);
  if (config.keyapi.emulator && config.keyapi.token === undefined) {
    log.info("For KeyAPI's charts set KEYAPI_TOKEN, in the environment or in a file .env, and restart");
  }
}

let environment: Environment = { variables: process.env, file: undefined, problems: [] };
/** Of the log. */
let output = createBatchedOutput();
try {
  // A person watches.
  if (process.stdout.isTTY) output = (await import('./observe/log/terminalStream.ts')).createTerminalStream();
  environment = readEnvironment(process.env);
  await main(environment, output);
} catch (error) {
  logStartFailure(error, collectSecrets(environment.variables), output);
  // Exits explicitly: open handles would keep the process running.
  process.exit(1);
}
