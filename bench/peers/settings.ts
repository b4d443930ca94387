/** What the bench tells a peer, through its environment. */
export interface PeerSettings {
  readonly port: number;
  readonly keyapiUrl: string;
  /** Keep the upstream pages in memory; else a page is fetched whenever it is needed. */
  readonly pageCache: boolean;
  /** Keep whole answers, by the cache that the peer's own documentation names. */
  readonly responseCache: boolean;
}

/** Reads the settings that `startServer` gave to this process. */
export function readSettings(): PeerSettings {
  const { PORT, KEYAPI_BASE_URL = '', PAGE_CACHE, RESPONSE_CACHE } = process.env;
  return {
    port: Number(PORT),
    keyapiUrl: KEYAPI_BASE_URL,
    pageCache: PAGE_CACHE === 'true',
    responseCache: RESPONSE_CACHE === 'true',
  };
}

/** Where peers listen, as this product does. */
export const HOST = '127.0.0.1';

/** How many answers peers keep: all that a scenario can have. Their defaults of about 1,000 are too few for the bill. */
export const MAX_ANSWERS = 10_000;

/** How long answers are kept where there must be a limit, in seconds: longer than any scenario. */
export const TTL_SECONDS = 3600;
