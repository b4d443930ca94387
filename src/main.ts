import closeWithGrace from 'close-with-grace';
import { createApp, createLog } from './app.ts';
import { ConfigError, loadConfig } from './config.ts';

/** How long requests in flight may take to finish after SIGTERM or SIGINT, in milliseconds. */
const DRAIN_MS = 10_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const log = createLog(config.logLevel);
  const server = await createApp(config, { log });
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

  closeWithGrace({ delay: DRAIN_MS, logger: log }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'Unexpected error: closing');
    else log.info({ signal }, 'Closing');
    await server.close();
    log.info('Closed');
  });
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
