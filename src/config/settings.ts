import type { z } from 'zod';
import {
  apiKeys,
  boolean,
  chartRanks,
  host,
  httpUrl,
  integer,
  oneOf,
  origins,
  pattern,
  proxies,
  redisUrl,
  type SettingType,
  text,
  token,
} from './settingTypes.ts';

/** A setting as it is declared: the configuration, its documentation and `.env.example` come from this alone. */
export interface Setting {
  /** The heading that it is documented under. */
  readonly group: string;
  readonly type: SettingType<z.ZodType>;
  /** As text, as in the environment; absent when it may stay unset. */
  readonly default?: string;
  /** Its value is never shown, nor logged. (Neither are the credentials in any address.) */
  readonly secret?: true;
  /** What happens when it stays unset. */
  readonly unset?: string;
  readonly description: string;
}

/** Levels of the log, the most severe first. */
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** Every setting, in the order in which it is documented. */
export const SETTINGS = {
  NODE_ENV: {
    group: 'Server',
    type: oneOf(['production', 'development', 'test']),
    unset: 'development',
    description:
      'In `production` there is no demo data, CORS, introspection or Sandbox, unless a setting asks for it. `test` is development.',
  },
  HOST: {
    group: 'Server',
    type: host,
    default: '127.0.0.1',
    description: 'Address to listen on. The image sets it to `0.0.0.0`.',
  },
  PORT: {
    group: 'Server',
    type: integer(0, 65_535),
    default: '4000',
    description: 'Port to listen on. 0 takes any free one.',
  },

  KEYAPI_TOKEN: {
    group: 'KeyAPI',
    type: token,
    secret: true,
    unset: 'demo data; required in production',
    description: 'Bearer token of your KeyAPI account.',
  },
  KEYAPI_BASE_URL: {
    group: 'KeyAPI',
    type: httpUrl,
    default: 'https://api.keyapi.ai',
    description: 'Address of KeyAPI.',
  },
  KEYAPI_EMULATOR: {
    group: 'KeyAPI',
    type: boolean,
    unset: '`true` without a token outside production, else `false`',
    description:
      'Serves demo data from the embedded emulator instead of KeyAPI. The log and every response say so.',
  },
  KEYAPI_QPS: {
    group: 'KeyAPI',
    type: integer(1, 10_000),
    default: '10',
    description: 'Requests to KeyAPI in any second. Further ones wait for their turn.',
  },
  KEYAPI_CONCURRENCY: {
    group: 'KeyAPI',
    type: integer(1, 1000),
    default: '8',
    description: 'Requests to KeyAPI that may be in flight at once.',
  },
  KEYAPI_TIMEOUT_MS: {
    group: 'KeyAPI',
    type: integer(1, 600_000),
    default: '5000',
    description: 'Deadline of one request to KeyAPI, from connecting to the last byte of the response.',
  },
  OPERATION_TIMEOUT_MS: {
    group: 'KeyAPI',
    type: integer(1, 600_000),
    default: '10000',
    description: 'Deadline of one GraphQL operation, which responds with what is available by then.',
  },

  CACHE_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 31_536_000),
    default: '3600',
    description:
      'Time to live of a page. Up to a tenth is taken off at random, so that charts do not all expire at once.',
  },
  STATS_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 31_536_000),
    default: '21600',
    description: 'Time to live of the numbers of a video, and of the fact that KeyAPI does not know it.',
  },
  CACHE_STALE_SECONDS: {
    group: 'Cache',
    type: integer(0, 31_536_000),
    default: '86400',
    description:
      'How long an expired page, or expired numbers, may still be served, while they are refreshed or while KeyAPI fails.',
  },
  HISTORY_DAYS: {
    group: 'Cache',
    type: integer(0, 90),
    default: '8',
    description:
      'For how many UTC days, today included, it is remembered which video had which rank, for `previousRank`, `movement` and ' +
      '`history`. 1: there is nothing to compare with. 0: nothing is remembered.',
  },
  SNAPSHOT_CHARTS: {
    group: 'Cache',
    type: chartRanks,
    unset: 'none',
    description:
      'Charts whose ranks are noted on every UTC day, so that the next day can be compared with it: in the evening the server buys ' +
      'those pages that nobody has read on that day, once for all replicas.',
  },
  ERROR_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 60),
    default: '1',
    description:
      'How long a page or numbers that failed are not requested again. Doubles with each failure, up to a minute, or to 10 if the ' +
      'response cannot be read.',
  },
  CACHE_MAX_MB: {
    group: 'Cache',
    type: integer(1, 1_048_576),
    default: '64',
    description:
      'Memory for pages. Numbers on videos (a quarter), cached responses (three eighths), JSON of rows (a quarter), the ranks of ' +
      'the last days (a quarter) and parsed documents (an eighth) take up to five quarters of it in addition.',
  },
  RESPONSE_CACHE: {
    group: 'Cache',
    type: boolean,
    default: 'true',
    description: 'Whether whole responses are cached.',
  },
  CACHE_FILE: {
    group: 'Cache',
    type: text('a path in an existing folder'),
    unset: 'pages, numbers and ranks are lost when the process ends',
    description:
      'File in which the pages and numbers of a single process survive a restart. Ranks survive it in a file beside it, whose ' +
      'name ends in `.history`. `npm run dev` keeps those of KeyAPI in `.dev-cache.json` if this is not set and there is no Redis.',
  },

  REDIS_URL: {
    group: 'Redis',
    type: redisUrl,
    unset: 'each process is on its own',
    description: 'Redis through which replicas share pages, numbers and limits. `rediss://` for TLS.',
  },
  REDIS_PREFIX: {
    group: 'Redis',
    type: pattern('up to 64 letters, digits and .:_-{}', /^[\w.:{}-]{1,64}$/),
    default: 'trending-graphql',
    description: 'What every key in Redis begins with. Keeps installations apart that share a Redis.',
  },
  REDIS_TIMEOUT_MS: {
    group: 'Redis',
    // The scripts reject what was sent more than two seconds ago.
    type: integer(10, 1500),
    default: '150',
    description: 'How long a command may take before Redis counts as down.',
  },

  CREDIT_BUDGET_PER_DAY: {
    group: 'Credits',
    type: integer(0, 999_999_999_999),
    unset: 'no limit',
    description:
      'Credits that may be spent on a UTC day. With `CACHE_FILE` or Redis the amount spent survives a restart.',
  },
  MAX_CREDITS_PER_OPERATION: {
    group: 'Credits',
    type: integer(0, 999_999_999_999),
    default: '25',
    description:
      'Credits that one operation may cost in the worst case. Others are refused before anything is spent.',
  },

  MAX_DOCUMENT_TOKENS: {
    group: 'Size of documents',
    // Parsing and validation are recursive: 8000 tokens of nested list types exhaust the stack.
    type: integer(1, 5000),
    default: '1000',
    description: 'Tokens in a document.',
  },
  MAX_DOCUMENT_DEPTH: {
    group: 'Size of documents',
    type: integer(1, 5000),
    default: '10',
    description: 'Levels of nested fields in an operation. Introspection may go deeper.',
  },
  MAX_DOCUMENT_ALIASES: {
    group: 'Size of documents',
    type: integer(0, 5000),
    default: '30',
    description: 'Aliases in an operation. As in the next two, a fragment counts wherever it is spread.',
  },
  MAX_ROOT_FIELDS: {
    group: 'Size of documents',
    type: integer(1, 5000),
    default: '20',
    description: 'Fields at the root of an operation.',
  },
  MAX_DIRECTIVES: {
    group: 'Size of documents',
    type: integer(0, 5000),
    default: '10',
    description: 'Directives in an operation.',
  },
  MAX_VALIDATION_ERRORS: {
    group: 'Size of documents',
    // One of them says that there are more.
    type: integer(2, 100),
    default: '5',
    description:
      'Errors reported for a document or its variables. Where there are more, the last one says so.',
  },

  API_KEYS: {
    group: 'Clients',
    type: apiKeys,
    secret: true,
    unset: 'no key is needed',
    description:
      'Every operation must be sent with one of these keys, as `Authorization: Bearer` or `x-api-key`.',
  },
  RATE_LIMIT_PER_MINUTE: {
    group: 'Clients',
    type: integer(0, 1_000_000),
    default: '600',
    description:
      'Requests of one client in any minute. A client is the name of an API key, else an address. 0: no limit.',
  },
  TRUST_PROXY: {
    group: 'Clients',
    type: proxies,
    default: 'false',
    description:
      "Whose `X-Forwarded-For` gives a client's address: nobody's (`false`), everybody's (`true`), that of a number of " +
      'proxies in front, or that of these addresses (also `loopback`, `linklocal`, `uniquelocal`).',
  },

  MAX_BODY_KB: {
    group: 'Requests and load',
    type: integer(1, 10_000),
    default: '100',
    description: 'Size of a request body, in 1,000 bytes. Compressed bodies are refused.',
  },
  MAX_HEADER_KB: {
    group: 'Requests and load',
    type: integer(1, 1000),
    default: '16',
    description: 'Size of a request line and its headers, in 1,000 bytes.',
  },
  REQUEST_TIMEOUT_SECONDS: {
    group: 'Requests and load',
    type: integer(1, 600),
    default: '15',
    description:
      'How long a client may take to send a request. Slower ones are cut off at most a second after that.',
  },
  MAX_EVENT_LOOP_DELAY_MS: {
    group: 'Requests and load',
    type: integer(10, 600_000),
    default: '1000',
    description: 'Delay of the event loop beyond which only cached responses are sent.',
  },
  MAX_HEAP_PERCENT: {
    group: 'Requests and load',
    type: integer(1, 100),
    default: '90',
    description: 'Share of the heap limit beyond which only cached responses are sent.',
  },

  PERSISTED_DOCUMENTS: {
    group: 'GraphQL API',
    type: text('a JSON file'),
    unset: 'there are no trusted documents',
    description: 'Manifest of trusted documents, which clients may name by hash.',
  },
  PERSISTED_DOCUMENTS_ONLY: {
    group: 'GraphQL API',
    type: boolean,
    default: 'false',
    description: 'Whether only trusted documents are executed.',
  },
  CORS_ORIGINS: {
    group: 'GraphQL API',
    type: origins,
    unset: 'Apollo Sandbox and localhost; none in production',
    description: 'Origins that browsers may send operations from.',
  },
  INTROSPECTION: {
    group: 'GraphQL API',
    type: boolean,
    unset: '`true`; `false` in production',
    description: 'Whether introspection is allowed.',
  },
  SANDBOX: {
    group: 'GraphQL API',
    type: boolean,
    unset: '`true`; `false` in production',
    description:
      'Whether browsers get Apollo Sandbox at `/graphql` and, in development, GraphiQL at `/graphiql`, which works offline.',
  },
  SUBGRAPH: {
    group: 'GraphQL API',
    type: boolean,
    default: 'true',
    description:
      'Whether the schema has `_service` and `_entities`, for the gateway of a federated graph. `_service` reveals the schema ' +
      'even where introspection is off.',
  },

  METRICS_PORT: {
    group: 'Observability',
    type: integer(0, 65_535),
    unset: '`/metrics` is beside `/graphql` in development, and not served in production',
    description: 'Port of `/metrics`, on `HOST`.',
  },
  LOG_LEVEL: {
    group: 'Observability',
    type: oneOf(LOG_LEVELS),
    default: 'info',
    description: 'Least severe level that is logged.',
  },
} satisfies Record<string, Setting>;

/** The settings' values, by name: undefined for one that is not set and has no default. */
export type SettingValues = {
  readonly [Name in keyof typeof SETTINGS]: SettingValue<(typeof SETTINGS)[Name]>;
};

type SettingValue<S extends Setting> = S extends { readonly default: string }
  ? z.output<S['type']['schema']>
  : z.output<S['type']['schema']> | undefined;
