import type { ServerSpec } from './processes.ts';

/** Which caches are on in a scenario. */
export interface Caches {
  /** Upstream pages; this product's are always on. */
  readonly pages: boolean;
  /** Whole answers. */
  readonly answers: boolean;
}

/** This product's name in every table. */
export const OURS = 'this server';

/** This product, as it is built; only its limits on upstream calls and on clients are out of the way. */
export function ours({ answers }: Pick<Caches, 'answers'>): ServerSpec {
  return {
    name: OURS,
    program: 'dist/main.js',
    shape: 'connection',
    variables: {
      KEYAPI_TOKEN: 'bench',
      KEYAPI_QPS: '10000',
      KEYAPI_CONCURRENCY: '1000',
      RATE_LIMIT_PER_MINUTE: '0',
      RESPONSE_CACHE: String(answers),
      LOG_LEVEL: 'warn',
    },
  };
}

/** Everything on: how the peers that have both are compared as they would run. */
export const ALL_CACHES: Caches = { pages: true, answers: true };
/** Pages are kept, whole answers are not. */
export const PAGES_ONLY: Caches = { pages: true, answers: false };
/** A page is fetched whenever it is needed, unless a whole answer is kept. */
export const ANSWERS_ONLY: Caches = { pages: false, answers: true };
/** A page is fetched whenever it is needed. */
export const NO_CACHES: Caches = { pages: false, answers: false };

/** A peer: one of the programs in `peers/`. */
export function peer(name: string, program: string, { pages, answers }: Caches): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: { PAGE_CACHE: String(pages), RESPONSE_CACHE: String(answers) },
  };
}

/** Hive Gateway, whose schema comes from the file `supergraph`. It has no resolvers of ours, so no cache of pages. */
export function hive(name: string, supergraph: string, { answers }: Pick<Caches, 'answers'>): ServerSpec {
  return {
    name,
    program: 'bench/dist/bench/peers/hive.js',
    shape: 'pages',
    variables: { SUPERGRAPH: supergraph, RESPONSE_CACHE: String(answers) },
  };
}

/** A server that always answers the bytes of a file: what the machine can do at most. */
export function fixedBytes(name: string, program: string, file: string, parsesJson = false): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: { FIXED_BYTES_FILE: file, PARSE_JSON: String(parsesJson) },
  };
}
