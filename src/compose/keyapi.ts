import type { PageSource } from '../domain/page.ts';
import type { UpstreamSource } from '../graphql/upstreamExtension.ts';
import { createKeyapiClient } from '../keyapi/client.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';
import type { Tracing } from '../observe/tracing/createTracing.ts';
import type { AppContext } from './appContext.ts';

/** KeyAPI, or the emulator that stands in for it. */
export interface Upstream {
  /** What `extensions.upstream.source` says. */
  readonly source: UpstreamSource;
  /** Sends one request for a page: 2 credits. */
  readonly fetchPage: PageSource;
  close(): Promise<void>;
}

/** Creates the client of KeyAPI, and starts the emulator if the configuration asks for demo data. */
export async function createKeyapi(
  { config, clock, log, onEvent }: AppContext,
  tracing: Tracing | undefined,
): Promise<Upstream> {
  const { keyapi } = config;
  const emulator = keyapi.emulator ? createEmulator() : undefined;
  const client = createKeyapiClient({
    baseUrl: emulator ? await emulator.listen() : keyapi.baseUrl,
    token: emulator ? undefined : keyapi.token,
    timeoutMs: keyapi.timeoutMs,
    connections: keyapi.concurrency,
    clock,
    onEvent,
  });
  if (emulator) log.info('Demo data: the embedded emulator stands in for KeyAPI, nothing is paid for');
  return {
    source: emulator ? 'emulator' : 'keyapi',
    fetchPage: tracing?.withCallSpans(client.fetchPage) ?? client.fetchPage,
    close: async () => {
      await client.close();
      await emulator?.close();
    },
  };
}
