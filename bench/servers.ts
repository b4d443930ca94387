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

/** A peer: one of the programs in `peers/`. */
export function peer(name: string, program: string, { pages, answers }: Caches): ServerSpec {
  return {
    name,
    program: `bench/dist/bench/peers/${program}.js`,
    shape: program === 'hive' ? 'pages' : 'connection',
    variables: { PAGE_CACHE: String(pages), RESPONSE_CACHE: String(answers) },
  };
}
