import type { ServerSpec } from './processes.ts';

/** Which caches are on in a scenario. */
export interface Caches {
  /** The cache of upstream pages; always on in this product. */
  readonly pages: boolean;
  /** The cache of whole responses. */
  readonly responses: boolean;
}

/** This product's name in every table. */
export const OURS = 'this server';

/** This product as built, without its limits on upstream calls and clients. */
export function ours({ responses }: Pick<Caches, 'responses'>): ServerSpec {
  return {
    name: OURS,
    program: 'dist/main.js',
    shape: 'connection',
    variables: {
      KEYAPI_TOKEN: 'bench',
      KEYAPI_QPS: '10000',
      KEYAPI_CONCURRENCY: '1000',
      RATE_LIMIT_PER_MINUTE: '0',
      RESPONSE_CACHE: String(responses),
      LOG_LEVEL: 'warn',
    },
  };
}

/** Everything on. */
export const ALL_CACHES: Caches = { pages: true, responses: true };
/** Pages are cached, whole responses are not. */
export const PAGES_ONLY: Caches = { pages: true, responses: false };
/** Whole responses are cached, pages are not. */
export const RESPONSES_ONLY: Caches = { pages: false, responses: true };
/** Every request fetches its pages. */
export const NO_CACHES: Caches = { pages: false, responses: false };

/** A peer: a program in `peers/`. */
export function peer(name: string, program: string, { pages, responses }: Caches): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: { PAGE_CACHE: String(pages), RESPONSE_CACHE: String(responses) },
  };
}

/** Hive Gateway with the schema in the file `supergraph`. It does not use our resolver, so it has no page cache. */
export function hive(name: string, supergraph: string, { responses }: Pick<Caches, 'responses'>): ServerSpec {
  return {
    name,
    program: 'bench/dist/bench/peers/hive.js',
    shape: 'pages',
    variables: { SUPERGRAPH: supergraph, RESPONSE_CACHE: String(responses) },
  };
}

/** A server that always responds with the bytes of a file: the upper limit of this machine. */
export function fixedBytes(name: string, program: string, file: string, parsesJson = false): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: { FIXED_BYTES_FILE: file, PARSE_JSON: String(parsesJson) },
  };
}
