import { z } from 'zod';
import { SETTINGS, type Setting, type SettingValues } from './settings.ts';

/** The program's configuration, derived from its settings. */
export type Config = ReturnType<typeof toConfig>;

/** Lists every problem of the environment. Names variables, never the value of a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(`The environment is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Environment variables by name. */
type Variables = Readonly<Record<string, string | undefined>>;

const TOKEN_MISSING =
  'KEYAPI_TOKEN: expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)';
const MANIFEST_MISSING =
  'PERSISTED_DOCUMENTS: expected the file of the documents that PERSISTED_DOCUMENTS_ONLY=true allows';
const SAME_PORT = 'METRICS_PORT: expected another port than PORT';
const DEVELOPMENT_ORIGINS = [
  'https://studio.apollographql.com',
  /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/,
];

const environmentSchema = z.object(
  Object.fromEntries(
    Object.entries<Setting>(SETTINGS).map(([name, { type, default: fallback }]) => [
      name,
      fallback === undefined ? type.schema.optional() : type.schema.prefault(fallback),
    ]),
  ),
);

/**
 * Reads the settings from the environment; a variable set to nothing counts as unset.
 *
 * @throws {ConfigError} With all problems at once.
 */
export function loadConfig(variables: Variables): Config {
  const trimmed = Object.entries(variables).map(([name, value]) => [name, value?.trim()] as const);
  const set: Variables = Object.fromEntries(trimmed.filter(([, value]) => value));
  const emulator = usesEmulator(set);
  const parsed = environmentSchema.safeParse(set);
  const problems = parsed.error?.issues.map(({ path, message }) => `${String(path[0])}: ${message}`) ?? [];
  if (set.KEYAPI_TOKEN === undefined && !emulator) problems.push(TOKEN_MISSING);
  // The schema was made from SETTINGS, as was this type.
  const values = parsed.data as SettingValues | undefined;
  if (values?.PERSISTED_DOCUMENTS_ONLY && !values.PERSISTED_DOCUMENTS) problems.push(MANIFEST_MISSING);
  if (values?.METRICS_PORT && values.METRICS_PORT === values.PORT) problems.push(SAME_PORT);
  if (!values || problems.length > 0) throw new ConfigError(problems);
  return toConfig(values, emulator);
}

/** Reads raw variables, so that a missing token is reported together with invalid settings. */
function usesEmulator({ KEYAPI_EMULATOR, KEYAPI_TOKEN, NODE_ENV }: Variables): boolean {
  if (KEYAPI_EMULATOR === undefined) return KEYAPI_TOKEN === undefined && NODE_ENV !== 'production';
  return SETTINGS.KEYAPI_EMULATOR.type.schema.safeParse(KEYAPI_EMULATOR).data !== false;
}

function toConfig(values: SettingValues, emulator: boolean) {
  const isProduction = values.NODE_ENV === 'production';
  const cacheBytes = values.CACHE_MAX_MB * 2 ** 20;
  return {
    host: values.HOST,
    port: values.PORT,
    keyapi: {
      baseUrl: values.KEYAPI_BASE_URL,
      token: values.KEYAPI_TOKEN,
      /** Serve demo data from the embedded emulator instead of KeyAPI. */
      emulator,
      qps: values.KEYAPI_QPS,
      concurrency: values.KEYAPI_CONCURRENCY,
      timeoutMs: values.KEYAPI_TIMEOUT_MS,
    },
    operationTimeoutMs: values.OPERATION_TIMEOUT_MS,
    cache: {
      ttlMs: values.CACHE_TTL_SECONDS * 1000,
      staleMs: values.CACHE_STALE_SECONDS * 1000,
      errorTtlMs: values.ERROR_TTL_SECONDS * 1000,
      pageBytes: cacheBytes,
      /** For the JSON of rows. */
      rowBytes: cacheBytes / 4,
      /** For parsed documents. */
      documentBytes: cacheBytes / 4,
      /** For whole responses; 0: none is cached. */
      responseBytes: values.RESPONSE_CACHE ? cacheBytes / 2 : 0,
      file: values.CACHE_FILE,
    },
    /** Undefined for a process on its own. */
    redis: values.REDIS_URL && {
      url: values.REDIS_URL,
      prefix: values.REDIS_PREFIX,
      timeoutMs: values.REDIS_TIMEOUT_MS,
    },
    credits: {
      /** Undefined: no limit. */
      perDay: values.CREDIT_BUDGET_PER_DAY,
      perOperation: values.MAX_CREDITS_PER_OPERATION,
    },
    documentLimits: {
      tokens: values.MAX_DOCUMENT_TOKENS,
      depth: values.MAX_DOCUMENT_DEPTH,
      aliases: values.MAX_DOCUMENT_ALIASES,
      rootFields: values.MAX_ROOT_FIELDS,
      directives: values.MAX_DIRECTIVES,
      validationErrors: values.MAX_VALIDATION_ERRORS,
    },
    /** Undefined: operations need no key. */
    apiKeys: values.API_KEYS,
    limits: {
      bodyBytes: values.MAX_BODY_KB * 1000,
      headerBytes: values.MAX_HEADER_KB * 1000,
      requestMs: values.REQUEST_TIMEOUT_SECONDS * 1000,
      /** 0: no limit. */
      requestsPerMinute: values.RATE_LIMIT_PER_MINUTE,
      eventLoopDelayMs: values.MAX_EVENT_LOOP_DELAY_MS,
      /** From 0 to 1. */
      heapShare: values.MAX_HEAP_PERCENT / 100,
    },
    trustProxy: values.TRUST_PROXY,
    /** The manifest of trusted documents; `only`: nothing else is executed. */
    persistedDocuments:
      values.PERSISTED_DOCUMENTS === undefined
        ? undefined
        : { file: values.PERSISTED_DOCUMENTS, only: values.PERSISTED_DOCUMENTS_ONLY },
    corsOrigins: values.CORS_ORIGINS ?? (isProduction ? [] : DEVELOPMENT_ORIGINS),
    introspection: values.INTROSPECTION ?? !isProduction,
    sandbox: values.SANDBOX ?? !isProduction,
    subgraph: values.SUBGRAPH,
    /** Undefined: not served. Without a port: by the same server as `/graphql`. */
    metrics: isProduction && values.METRICS_PORT === undefined ? undefined : { port: values.METRICS_PORT },
    logLevel: values.LOG_LEVEL,
  };
}
