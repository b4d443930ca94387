import { describeProxy } from '../config/chooseProxy.ts';
import type { Chart } from '../domain/chart.ts';
import type { Source } from '../domain/source.ts';
import type { UpstreamSource } from '../graphql/upstreamExtension.ts';
import { createKeyapiClient } from '../keyapi/client.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';
import type { KeyapiEndpoint } from '../keyapi/endpoint.ts';
import type { Tracing } from '../observe/tracing/createTracing.ts';
import type { AppContext } from './appContext.ts';

/** KeyAPI, or the emulator that replaces it. */
export interface Upstream {
  /** What `extensions.upstream.source` says. */
  readonly name: UpstreamSource;
  /** The client's source of an endpoint: each call is one request, and paid for. */
  source<Key, Value>(endpoint: KeyapiEndpoint<Key, Value>): Source<Key, Value>;
  /**
   * The ids of a chart on a UTC day, top first, without a request. Only the emulator knows the charts of other days.
   */
  readonly itemIdsOn?: (chart: Chart, day: number) => readonly string[];
  close(): Promise<void>;
}

/** Creates the client of KeyAPI, and starts the emulator if the configuration asks for demo data. */
export async function createKeyapi(
  { config, clock, log, onEvent }: AppContext,
  tracing: Tracing | undefined,
): Promise<Upstream> {
  const { keyapi } = config;
  const emulator = keyapi.emulator ? createEmulator({ now: clock.now }) : undefined;
  const baseUrl = emulator ? await emulator.listen() : keyapi.baseUrl;
  const client = createKeyapiClient({
    baseUrl,
    proxy: keyapi.proxy?.url,
    token: emulator ? undefined : keyapi.token,
    timeoutMs: keyapi.timeoutMs,
    connections: keyapi.concurrency,
    clock,
    onEvent,
  });
  if (emulator) log.info('Demo data: the embedded emulator stands in for KeyAPI, nothing is paid for');
  if (keyapi.proxy) log.info(`KeyAPI is reached through the proxy ${describeProxy(keyapi.proxy)}`);
  return {
    name: emulator ? 'emulator' : 'keyapi',
    source: (endpoint) => {
      const source = client.source(endpoint);
      return tracing?.withCallSpans(source, endpoint, baseUrl) ?? source;
    },
    ...(emulator && { itemIdsOn: emulator.itemIdsOn }),
    close: async () => {
      await client.close();
      await emulator?.close();
    },
  };
}
