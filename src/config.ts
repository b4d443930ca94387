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
  readonly redis: { readonly url: URL; readonly prefix: string } | undefined;
  readonly credits: {
    /** Without a value there is no limit. */
    readonly perDay: number | undefined;
    readonly perOperation: number;
  };
  /** One of them must come with every operation; undefined: none need be. */
  readonly apiKeys: readonly string[] | undefined;
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
  CREDIT_BUDGET_PER_DAY: integer(0, 999_999_999_999).optional(),
  MAX_CREDITS_PER_OPERATION: integer(0, 999_999_999_999).default(20),
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
    .transform((list) => list.map((item) => item.slice(item.indexOf(':') + 1)))
    .optional(),
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
      env.REDIS_URL === undefined ? undefined : { url: new URL(env.REDIS_URL), prefix: env.REDIS_PREFIX },
    credits: { perDay: env.CREDIT_BUDGET_PER_DAY, perOperation: env.MAX_CREDITS_PER_OPERATION },
    apiKeys: env.API_KEYS,
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
