/** The settings of a peer, from its environment variables. */
export interface PeerSettings {
  readonly port: number;
  readonly keyapiUrl: string;
  /** Cache upstream pages in memory; otherwise every request fetches its pages. */
  readonly pageCache: boolean;
  /** Cache whole responses, with the cache that the peer's documentation recommends. */
  readonly responseCache: boolean;
  /** Time to live in that cache, in seconds. */
  readonly ttlSeconds: number;
}

/** Reads the settings that `startServer` passed to this process. */
export function readSettings(): PeerSettings {
  const { PORT, KEYAPI_BASE_URL = '', PAGE_CACHE, RESPONSE_CACHE, CACHE_TTL_SECONDS = '3600' } = process.env;
  return {
    port: Number(PORT),
    keyapiUrl: KEYAPI_BASE_URL,
    pageCache: PAGE_CACHE === 'true',
    responseCache: RESPONSE_CACHE === 'true',
    ttlSeconds: Number(CACHE_TTL_SECONDS),
  };
}

/** The host that peers listen on, as this product does. */
export const HOST = '127.0.0.1';

/** Size of the peers' response caches: enough for every scenario. Their defaults of about 1,000 are too small for `bill`. */
export const MAX_RESPONSES = 10_000;
