import { isIP } from 'node:net';
import { z } from 'zod';

/** The program's settings, from the environment. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly keyapi: {
    readonly baseUrl: URL;
    readonly token: string | undefined;
    /** Serve demo data from the embedded emulator instead of KeyAPI. */
    readonly emulator: boolean;
    readonly qps: number;
    readonly concurrency: number;
    readonly timeoutMs: number;
  };
  readonly operationTimeoutMs: number;
  readonly cache: {
    readonly ttlMs: number;
    readonly staleMs: number;
    /** How long a page that could not be had is not asked for again; doubles with each further failure. */
    readonly errorTtlMs: number;
    readonly maxBytes: number;
    /** For the JSON of rows. */
    readonly rowBytes: number;
    /** For parsed documents. */
    readonly documentBytes: number;
    /** For whole answers; 0 keeps none. */
    readonly answerBytes: number;
    readonly file: string | undefined;
  };
  /** Where replicas share pages and limits; undefined for a process alone. */
  readonly redis:
    | {
        readonly url: URL;
        readonly prefix: string;
        /** How long a command may take before Redis counts as down. */
        readonly timeoutMs: number;
      }
    | undefined;
  readonly credits: {
    /** Without a value there is no limit. */
    readonly perDay: number | undefined;
    readonly perOperation: number;
  };
  /** How large a document may be, and how many errors are reported of it. */
  readonly documentLimits: {
    readonly tokens: number;
    readonly depth: number;
    readonly aliases: number;
    readonly rootFields: number;
    readonly directives: number;
    readonly validationErrors: number;
  };
  /** One of them must come with every operation; undefined: none need be. */
  readonly apiKeys: readonly { readonly key: string; readonly name: string | undefined }[] | undefined;
  /** What a request, its client and the process may take; of a rate, 0 is no limit. */
  readonly limits: {
    readonly bodyBytes: number;
    readonly headerBytes: number;
    readonly requestMs: number;
    readonly requestsPerMinute: number;
    readonly eventLoopDelayMs: number;
    readonly heapShare: number;
  };
  /** Whose `X-Forwarded-For` is believed: nobody's, everybody's, that of so many proxies, or of these addresses. */
  readonly trustProxy: boolean | number | readonly string[];
  /** The manifest of trusted documents; `only`: nothing else is carried out. */
  readonly persistedDocuments: { readonly file: string; readonly only: boolean } | undefined;
  readonly corsOrigins: readonly (string | RegExp)[];
  readonly introspection: boolean;
  readonly sandbox: boolean;
  /** Whether the gateway of a federated graph may ask for what it needs. */
  readonly subgraph: boolean;
  /** Served on a port of its own, else beside `/graphql`; undefined: nowhere. */
  readonly metrics: { readonly port: number | undefined } | undefined;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

/** Lists every problem of the environment. Names variables, never the value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The environment is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const TOKEN_MISSING =
  'KEYAPI_TOKEN: expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)';
const MANIFEST_MISSING =
  'PERSISTED_DOCUMENTS: expected the file of the documents that PERSISTED_DOCUMENTS_ONLY=true allows';
const SAME_PORT = 'METRICS_PORT: expected another port than PORT';
const DEVELOPMENT_ORIGINS = [
  'https://studio.apollographql.com',
  /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/,
];

const boolean = z.stringbool({
  truthy: ['true', '1'],
  falsy: ['false', '0'],
  error: 'expected true or false',
});

function integer(min: number, max: number) {
  const error = `expected a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}$/, error)
    .transform(Number)
    .refine((value) => value >= min && value <= max, error);
}

const origin = z
  .string()
  .refine(isOrigin, 'expected origins such as https://app.example.com, separated by commas');

const environment = z.object({
  NODE_ENV: z.string().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(0, 65_535).default(4000),
  // Whatever else would break the header, and be shown in the error of it.
  KEYAPI_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, 'expected printable ASCII without spaces')
    .optional(),
  KEYAPI_BASE_URL: z
    .string()
    .default('https://api.keyapi.ai')
    .refine(isHttpUrl, 'expected an http or https address without credentials, query or fragment'),
  KEYAPI_EMULATOR: boolean.optional(),
  KEYAPI_QPS: integer(1, 10_000).default(10),
  KEYAPI_CONCURRENCY: integer(1, 1000).default(8),
  KEYAPI_TIMEOUT_MS: integer(1, 600_000).default(5000),
  OPERATION_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  CACHE_TTL_SECONDS: integer(1, 31_536_000).default(3600),
  CACHE_STALE_SECONDS: integer(0, 31_536_000).default(86_400),
  ERROR_TTL_SECONDS: integer(1, 60).default(1),
  CACHE_MAX_MB: integer(1, 1_048_576).default(64),
  RESPONSE_CACHE: boolean.default(true),
  CACHE_FILE: z.string().optional(),
  REDIS_URL: z
    .string()
    .refine(
      isRedisUrl,
      'expected redis:// or rediss://, with user:password@ where needed, a host, and a /database',
    )
    .optional(),
  REDIS_PREFIX: z
    .string()
    .regex(/^[\w.:{}-]{1,64}$/, 'expected up to 64 letters, digits and .:_-{}')
    .default('trending-graphql'),
  // Redis refuses what was sent two seconds ago.
  REDIS_TIMEOUT_MS: integer(10, 1500).default(150),
  CREDIT_BUDGET_PER_DAY: integer(0, 999_999_999_999).optional(),
  MAX_CREDITS_PER_OPERATION: integer(0, 999_999_999_999).default(20),
  // What parses and validates a document calls itself: 8000 tokens of types in types exhaust the stack.
  MAX_DOCUMENT_TOKENS: integer(1, 5000).default(1000),
  MAX_DOCUMENT_DEPTH: integer(1, 5000).default(10),
  MAX_DOCUMENT_ALIASES: integer(0, 5000).default(30),
  MAX_ROOT_FIELDS: integer(1, 5000).default(20),
  MAX_DIRECTIVES: integer(0, 5000).default(10),
  // The last of them says that there are more.
  MAX_VALIDATION_ERRORS: integer(2, 100).default(5),
  API_KEYS: z
    .string()
    .transform((list) => list.split(',').map((item) => item.trim()))
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^([\w-]+:)?[^\s:,]{8,}$/,
            'expected keys of 8 characters or more, each bare or as name:key, separated by commas',
          ),
      ),
    )
    .transform((list) => list.map(toApiKey))
    .optional(),
  RATE_LIMIT_PER_MINUTE: integer(0, 1_000_000).default(600),
  TRUST_PROXY: z
    .string()
    .transform(toTrustProxy)
    .refine(
      (trusted) => !Array.isArray(trusted) || trusted.every(isAddress),
      'expected true, false, a number of proxies up to 10, or addresses such as 10.0.0.0/8, separated by commas',
    )
    .default(false),
  MAX_BODY_KB: integer(1, 10_000).default(100),
  MAX_HEADER_KB: integer(1, 1000).default(16),
  REQUEST_TIMEOUT_SECONDS: integer(1, 600).default(15),
  MAX_EVENT_LOOP_DELAY_MS: integer(10, 600_000).default(1000),
  MAX_HEAP_PERCENT: integer(1, 100).default(90),
  PERSISTED_DOCUMENTS: z.string().optional(),
  PERSISTED_DOCUMENTS_ONLY: boolean.default(false),
  CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((item) => item.trim()))
    .pipe(z.array(origin))
    .optional(),
  INTROSPECTION: boolean.optional(),
  SANDBOX: boolean.optional(),
  SUBGRAPH: boolean.default(true),
  METRICS_PORT: integer(0, 65_535).optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, `expected one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

/**
 * Reads the environment; a variable set to nothing counts as unset.
 *
 * @throws {ConfigError} With all problems at once.
 */
export function loadConfig(variables: Readonly<Record<string, string | undefined>>): Config {
  const trimmed = Object.entries(variables).map(([name, value]) => [name, value?.trim()] as const);
  const set: Record<string, string | undefined> = Object.fromEntries(trimmed.filter(([, value]) => value));
  const isProduction = set.NODE_ENV === 'production';
  const hasToken = set.KEYAPI_TOKEN !== undefined;
  const emulator =
    set.KEYAPI_EMULATOR === undefined
      ? !hasToken && !isProduction
      : boolean.safeParse(set.KEYAPI_EMULATOR).data !== false;

  const parsed = environment.safeParse(set);
  const problems = parsed.error?.issues.map(({ path, message }) => `${String(path[0])}: ${message}`) ?? [];
  if (!hasToken && !emulator) problems.push(TOKEN_MISSING);
  if (parsed.data?.PERSISTED_DOCUMENTS_ONLY && !parsed.data.PERSISTED_DOCUMENTS)
    problems.push(MANIFEST_MISSING);
  if (parsed.data?.METRICS_PORT && parsed.data.METRICS_PORT === parsed.data.PORT) problems.push(SAME_PORT);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  const env = parsed.data;
  const cacheBytes = env.CACHE_MAX_MB * 2 ** 20;
  return {
    host: env.HOST,
    port: env.PORT,
    keyapi: {
      baseUrl: new URL(env.KEYAPI_BASE_URL),
      token: env.KEYAPI_TOKEN,
      emulator,
      qps: env.KEYAPI_QPS,
      concurrency: env.KEYAPI_CONCURRENCY,
      timeoutMs: env.KEYAPI_TIMEOUT_MS,
    },
    operationTimeoutMs: env.OPERATION_TIMEOUT_MS,
    cache: {
      ttlMs: env.CACHE_TTL_SECONDS * 1000,
      staleMs: env.CACHE_STALE_SECONDS * 1000,
      errorTtlMs: env.ERROR_TTL_SECONDS * 1000,
      maxBytes: cacheBytes,
      rowBytes: cacheBytes / 4,
      documentBytes: cacheBytes / 4,
      answerBytes: env.RESPONSE_CACHE ? cacheBytes / 2 : 0,
      file: env.CACHE_FILE,
    },
    redis:
      env.REDIS_URL === undefined
        ? undefined
        : { url: new URL(env.REDIS_URL), prefix: env.REDIS_PREFIX, timeoutMs: env.REDIS_TIMEOUT_MS },
    credits: { perDay: env.CREDIT_BUDGET_PER_DAY, perOperation: env.MAX_CREDITS_PER_OPERATION },
    documentLimits: {
      tokens: env.MAX_DOCUMENT_TOKENS,
      depth: env.MAX_DOCUMENT_DEPTH,
      aliases: env.MAX_DOCUMENT_ALIASES,
      rootFields: env.MAX_ROOT_FIELDS,
      directives: env.MAX_DIRECTIVES,
      validationErrors: env.MAX_VALIDATION_ERRORS,
    },
    apiKeys: env.API_KEYS,
    limits: {
      bodyBytes: env.MAX_BODY_KB * 1000,
      headerBytes: env.MAX_HEADER_KB * 1000,
      requestMs: env.REQUEST_TIMEOUT_SECONDS * 1000,
      requestsPerMinute: env.RATE_LIMIT_PER_MINUTE,
      eventLoopDelayMs: env.MAX_EVENT_LOOP_DELAY_MS,
      heapShare: env.MAX_HEAP_PERCENT / 100,
    },
    trustProxy: env.TRUST_PROXY,
    persistedDocuments:
      env.PERSISTED_DOCUMENTS === undefined
        ? undefined
        : { file: env.PERSISTED_DOCUMENTS, only: env.PERSISTED_DOCUMENTS_ONLY },
    corsOrigins: env.CORS_ORIGINS ?? (isProduction ? [] : DEVELOPMENT_ORIGINS),
    introspection: env.INTROSPECTION ?? !isProduction,
    sandbox: env.SANDBOX ?? !isProduction,
    subgraph: env.SUBGRAPH,
    metrics: isProduction && env.METRICS_PORT === undefined ? undefined : { port: env.METRICS_PORT },
    logLevel: env.LOG_LEVEL,
  };
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === '';
}

/** Checked whole at the start: what cannot be decoded would be an error, with the password in it, later. */
function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password, search, hash } = new URL(text);
  const isWhole = /^rediss?:$/.test(protocol) && hostname !== '' && /^(\/\d{0,4})?$/.test(pathname);
  return isWhole && `${search}${hash}` === '' && [username, password].every(canDecode);
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function isOrigin(text: string): boolean {
  return isHttpUrl(text) && new URL(text).origin === text;
}

function toApiKey(item: string): { key: string; name: string | undefined } {
  const end = item.indexOf(':');
  return { key: item.slice(end + 1), name: end < 0 ? undefined : item.slice(0, end) };
}

function toTrustProxy(text: string): boolean | number | string[] {
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^(\d|10)$/.test(text)) return Number(text);
  return text.split(',').map((item) => item.trim());
}

/** An address, a network such as 10.0.0.0/8, or a name that Fastify has for some. */
function isAddress(text: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(text)) return true;
  const [address = '', bits, ...others] = text.split('/');
  const version = isIP(address);
  if (version === 0 || others.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
