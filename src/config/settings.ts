import type { z } from 'zod';
import {
  apiKeys,
  boolean,
  chartRanks,
  host,
  hosts,
  httpUrl,
  integer,
  oneOf,
  origins,
  pattern,
  pemFile,
  proxies,
  proxyUrl,
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
      'In `production`, demo data, CORS, introspection and Sandbox are off unless a setting turns them on, and there is no ' +
      'GraphiQL. `test` is the same as `development`.',
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
    description: 'Port to listen on. 0 chooses any free port.',
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
    description: 'Base URL of KeyAPI.',
  },
  HTTPS_PROXY: {
    group: 'KeyAPI',
    type: proxyUrl,
    unset: 'no proxy',
    description:
      'Proxy through which KeyAPI is reached if `KEYAPI_BASE_URL` is https: the proxy only relays the encrypted ' +
      'connection. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` are ' +
      'also read in lower case (`https_proxy`), which takes precedence unless it is empty. They affect no other ' +
      'connection: neither Redis nor the demo data.',
  },
  HTTP_PROXY: {
    group: 'KeyAPI',
    type: proxyUrl,
    unset: 'no proxy',
    description:
      'Proxy through which KeyAPI is reached if `KEYAPI_BASE_URL` is http. The proxy sees the requests, including ' +
      'the token.',
  },
  NO_PROXY: {
    group: 'KeyAPI',
    type: hosts,
    unset: 'none',
    description:
      'Hosts that are reached without a proxy, in upper or lower case: a host, which includes its subdomains, as ' +
      '`example.com`, `.example.com` or `*.example.com`; an IP address or a network such as `10.0.0.0/8`, for an ' +
      'address in `KEYAPI_BASE_URL`; each with or without a port, as in `example.com:8443`; or `*` for all hosts.',
  },
  KEYAPI_EMULATOR: {
    group: 'KeyAPI',
    type: boolean,
    unset: '`true` without a token outside production, else `false`',
    description:
      'Whether the server serves demo data from the embedded emulator instead of data from KeyAPI. The log and ' +
      'every response say so.',
  },
  KEYAPI_QPS: {
    group: 'KeyAPI',
    type: integer(1, 10_000),
    default: '10',
    description: 'Maximum number of requests to KeyAPI within any second. Further requests wait in a queue.',
  },
  KEYAPI_CONCURRENCY: {
    group: 'KeyAPI',
    type: integer(1, 1000),
    default: '8',
    description: 'Maximum number of requests to KeyAPI in flight at the same time.',
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
    description:
      'Deadline of one GraphQL operation. The response contains the data that is available by then; other fields ' +
      'fail with `UPSTREAM_TIMEOUT`.',
  },

  CACHE_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 31_536_000),
    default: '3600',
    description:
      'Time to live of a page. The server subtracts up to a tenth at random, so that charts do not all expire at ' +
      'the same time.',
  },
  STATS_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 31_536_000),
    default: '21600',
    description:
      'Time to live of the numbers on a video, or of the fact that KeyAPI does not know the video.',
  },
  CACHE_STALE_SECONDS: {
    group: 'Cache',
    type: integer(0, 31_536_000),
    default: '86400',
    description:
      'How long expired pages and numbers may still be served, while they are refreshed or while KeyAPI fails.',
  },
  HISTORY_DAYS: {
    group: 'Cache',
    type: integer(0, 90),
    default: '8',
    description:
      'For how many UTC days, including today, the server stores the ranks of videos, for `previousRank`, ' +
      '`movement` and `history`. With 1 there is no earlier day to compare with. With 0 no ranks are stored.',
  },
  SNAPSHOT_CHARTS: {
    group: 'Cache',
    type: chartRanks,
    unset: 'none',
    description:
      'Charts whose ranks are stored on every UTC day, so that the next day can be compared with them. In the ' +
      'evening the server fetches the pages of these charts that were not fetched on that day, once for all ' +
      'replicas.',
  },
  ERROR_TTL_SECONDS: {
    group: 'Cache',
    type: integer(1, 60),
    default: '1',
    description:
      'How long the server waits before it requests a page or numbers again after a failure. The time doubles ' +
      'with each failure, up to a minute, or up to 10 minutes if the response cannot be read.',
  },
  CACHE_MAX_MB: {
    group: 'Cache',
    type: integer(1, 1_048_576),
    default: '64',
    description:
      'Memory for cached pages. The other caches together may take another five quarters of this size: numbers on ' +
      'videos (a quarter), responses (three eighths), JSON of rows (a quarter), the ranks of the last days (a ' +
      'quarter) and parsed documents (an eighth).',
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
      'File in which a single process stores its pages and numbers, so that they survive a restart. Ranks are ' +
      'stored in a second file with the same name and the suffix `.history`. Without this setting and `REDIS_URL`, a ' +
      'server whose `NODE_ENV` is set to `development`, as by `npm run dev`, stores those of KeyAPI in `.dev-cache.json`.',
  },

  REDIS_URL: {
    group: 'Redis',
    type: redisUrl,
    unset: 'each process has its own cache and limits',
    description: 'Redis through which replicas share pages, numbers and limits. `rediss://` for TLS.',
  },
  REDIS_MODE: {
    group: 'Redis',
    type: oneOf(['single', 'cluster', 'sentinel']),
    default: 'single',
    description:
      'What `REDIS_URL` names: a `single` Redis, or the endpoint of a service; some nodes of a Redis `cluster`; or ' +
      'the `sentinel`s that know where the primary is.',
  },
  REDIS_SENTINEL_NAME: {
    group: 'Redis',
    type: pattern('letters, digits and .:_-', /^[\w.:-]+$/),
    unset: 'required with `REDIS_MODE=sentinel`',
    description: 'Name by which the sentinels know the primary: that in their line `sentinel monitor`.',
  },
  REDIS_SENTINEL_PASSWORD: {
    group: 'Redis',
    type: text('a password'),
    secret: true,
    unset: 'the sentinels require no password',
    description:
      'Password of the sentinels themselves. The user and password in `REDIS_URL` are those of the primary.',
  },
  REDIS_TLS_CA: {
    group: 'Redis',
    type: pemFile,
    unset: 'the authorities that Node trusts',
    description:
      'Certificate of the authority that signed the certificate of Redis, for `rediss://`. It replaces the authorities ' +
      'that Node trusts. The files are read whenever the server connects to Redis.',
  },
  REDIS_TLS_CERT: {
    group: 'Redis',
    type: pemFile,
    unset: 'the server has no certificate of its own',
    description: 'Certificate of this server, for a Redis that requires one.',
  },
  REDIS_TLS_KEY: {
    group: 'Redis',
    type: pemFile,
    unset: 'the server has no certificate of its own',
    description: 'Private key of `REDIS_TLS_CERT`.',
  },
  REDIS_PREFIX: {
    group: 'Redis',
    type: pattern('up to 64 letters, digits and .:_-{}', /^[\w.:{}-]{1,64}$/),
    default: 'trending-graphql',
    description:
      'Prefix of every key in Redis. Installations that share a Redis need different prefixes. With ' +
      '`REDIS_MODE=cluster`, a prefix without a hash tag gets braces (`{trending-graphql}`), so that one node has all ' +
      'keys.',
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
      'Credits that may be spent on one UTC day. With `CACHE_FILE` or Redis, the amount already spent survives a ' +
      'restart.',
  },
  MAX_CREDITS_PER_OPERATION: {
    group: 'Credits',
    type: integer(0, 999_999_999_999),
    default: '25',
    description:
      'Credits that one operation may cost in the worst case. More expensive operations are refused before any ' +
      'credits are spent.',
  },

  MAX_DOCUMENT_TOKENS: {
    group: 'Size of documents',
    // Parsing and validation are recursive: 8000 tokens of nested list types exhaust the stack.
    type: integer(1, 5000),
    default: '1000',
    description: 'Maximum number of tokens in a document.',
  },
  MAX_DOCUMENT_DEPTH: {
    group: 'Size of documents',
    type: integer(1, 5000),
    default: '10',
    description: 'Maximum number of levels of nested fields in an operation. Introspection may be deeper.',
  },
  MAX_DOCUMENT_ALIASES: {
    group: 'Size of documents',
    type: integer(0, 5000),
    default: '30',
    description:
      'Maximum number of aliases in an operation. For this and the next two settings, a fragment counts every ' +
      'time it is spread.',
  },
  MAX_ROOT_FIELDS: {
    group: 'Size of documents',
    type: integer(1, 5000),
    default: '20',
    description: 'Maximum number of fields at the root of an operation.',
  },
  MAX_DIRECTIVES: {
    group: 'Size of documents',
    type: integer(0, 5000),
    default: '10',
    description: 'Maximum number of directives in an operation.',
  },
  MAX_VALIDATION_ERRORS: {
    group: 'Size of documents',
    // One of them says that there are more.
    type: integer(2, 100),
    default: '5',
    description:
      'Maximum number of errors that are reported for a document or its variables. If there are more, the last ' +
      'one says so.',
  },

  API_KEYS: {
    group: 'Clients',
    type: apiKeys,
    secret: true,
    unset: 'no key is needed',
    description:
      'Keys of clients. Every operation must be sent with one of them, as `Authorization: Bearer` or `x-api-key`.',
  },
  RATE_LIMIT_PER_MINUTE: {
    group: 'Clients',
    type: integer(0, 1_000_000),
    default: '600',
    description:
      'Maximum number of requests from one client within any minute. A client is identified by the name of its ' +
      'API key, or else by its IP address. 0: no limit.',
  },
  TRUST_PROXY: {
    group: 'Clients',
    type: proxies,
    default: 'false',
    description:
      "Which proxies are trusted to report the client's address in `X-Forwarded-For`: none (`false`), all " +
      '(`true`), a number of proxies in front of the server, or proxies with these addresses (also `loopback`, ' +
      '`linklocal`, `uniquelocal`).',
  },

  MAX_BODY_KB: {
    group: 'Requests and load',
    type: integer(1, 10_000),
    default: '100',
    description: 'Maximum size of a request body, in units of 1,000 bytes. Compressed bodies are refused.',
  },
  MAX_HEADER_KB: {
    group: 'Requests and load',
    type: integer(1, 1000),
    default: '16',
    description: 'Maximum size of the request line and the headers together, in units of 1,000 bytes.',
  },
  REQUEST_TIMEOUT_SECONDS: {
    group: 'Requests and load',
    type: integer(1, 600),
    default: '15',
    description:
      'How long a client may take to send a request. Slower requests are aborted at most a second later.',
  },
  KEEP_ALIVE_SECONDS: {
    group: 'Requests and load',
    type: integer(1, 86_400),
    default: '72',
    description:
      'How long idle connections of clients stay open. It must be longer than the idle timeout of the load ' +
      'balancer in front of the server, which otherwise responds with 502 now and then.',
  },
  MAX_EVENT_LOOP_DELAY_MS: {
    group: 'Requests and load',
    type: integer(10, 600_000),
    default: '1000',
    description: 'Maximum delay of the event loop. Above it, only cached responses are sent.',
  },
  MAX_HEAP_PERCENT: {
    group: 'Requests and load',
    type: integer(1, 100),
    default: '90',
    description:
      'Maximum share of the heap limit that may be in use. Above it, only cached responses are sent.',
  },

  PERSISTED_DOCUMENTS: {
    group: 'GraphQL API',
    type: text('a JSON file'),
    unset: 'there are no trusted documents',
    description:
      'Manifest of trusted documents. Clients may send the hash of such a document instead of its text.',
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
    description: 'Origins of web pages that may send operations from a browser.',
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
      'Whether browsers that open `/graphql` get Apollo Sandbox. In development, also whether they get GraphiQL at ' +
      '`/graphiql`, which works offline.',
  },
  SUBGRAPH: {
    group: 'GraphQL API',
    type: boolean,
    default: 'true',
    description:
      'Whether the schema has `_service` and `_entities`, which the gateway of a federated graph needs. ' +
      '`_service` reveals the schema even if introspection is off.',
  },

  METRICS_PORT: {
    group: 'Observability',
    type: integer(0, 65_535),
    unset: '`/metrics` is served on `PORT` in development, and not served in production',
    description: 'Port of `/metrics`, on `HOST`.',
  },
  LOG_LEVEL: {
    group: 'Observability',
    type: oneOf(LOG_LEVELS),
    default: 'info',
    description: 'Lowest severity that is logged.',
  },
} satisfies Record<string, Setting>;

/** The settings' values, by name: undefined for one that is not set and has no default. */
export type SettingValues = {
  readonly [Name in keyof typeof SETTINGS]: SettingValue<(typeof SETTINGS)[Name]>;
};

type SettingValue<S extends Setting> = S extends { readonly default: string }
  ? z.output<S['type']['schema']>
  : z.output<S['type']['schema']> | undefined;
