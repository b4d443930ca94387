import path from 'node:path';
import type { ServerSpec } from './runServer.ts';
import type { SavedResponse } from './savedResponse.ts';

/** Which caches are on in a scenario. */
export interface Caches {
  /** The cache of upstream pages; always on in this product. */
  readonly pages: boolean;
  /** The cache of whole responses. */
  readonly responses: boolean;
}

/** This product's name in every table. */
export const OURS = 'this server';
/** The name of Fastify's limit in every table. */
export const FASTIFY = 'Fastify, fixed bytes';

/**
 * This product as in production, with its log in `folder`; only its limits on upstream calls and clients are raised.
 *
 * @param variables Environment variables of this scenario.
 */
export function ours(
  folder: string,
  variables: Readonly<Record<string, string>> = {},
  name = OURS,
): ServerSpec {
  return {
    name,
    program: 'dist/main.js',
    shape: 'connection',
    logFile: path.join(folder, 'server.log'),
    variables: {
      KEYAPI_TOKEN: 'bench',
      KEYAPI_QPS: '10000',
      KEYAPI_CONCURRENCY: '1000',
      // The maximum: all load comes from one address. It takes as much work as the default.
      RATE_LIMIT_PER_MINUTE: '1000000',
      ...variables,
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

/** A peer: a program in `peers/`. Without `ttlSeconds`, its caches outlive every scenario. */
export function peer(
  name: string,
  program: string,
  { pages, responses }: Caches,
  ttlSeconds?: number,
): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: {
      PAGE_CACHE: String(pages),
      RESPONSE_CACHE: String(responses),
      ...(ttlSeconds !== undefined && { CACHE_TTL_SECONDS: String(ttlSeconds) }),
    },
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

/** A server that always sends the same response: the upper limit of this machine. */
export function fixedBytes(
  name: string,
  program: string,
  { file, encoding }: SavedResponse,
  parsesJson = false,
): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: 'connection',
    variables: {
      FIXED_BYTES_FILE: file,
      PARSE_JSON: String(parsesJson),
      ...(encoding !== undefined && { CONTENT_ENCODING: encoding }),
    },
  };
}
