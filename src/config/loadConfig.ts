import { chooseProxy, type KeyapiProxy } from './chooseProxy.ts';
import { ConfigError, type ConfigProblem } from './configError.ts';
import type { Variables } from './environment.ts';
import { type ParsedSettings, parseSettings } from './parseSettings.ts';
import { toRedisConfig } from './redisConfig.ts';
import { collectSecrets } from './secrets.ts';
import type { SettingValues } from './settings.ts';

/** The program's configuration, derived from its settings. */
export type Config = ReturnType<typeof toConfig>;

const DEVELOPMENT_ORIGINS = [
  'https://studio.apollographql.com',
  /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/,
];

/** Keeps what was paid for over the restarts after each change. */
const DEVELOPMENT_CACHE_FILE = '.dev-cache.json';

/**
 * Reads the settings from the environment; a variable set to nothing counts as unset.
 *
 * @param fileProblems Why the file `.env` was not read, if there is one.
 * @throws {ConfigError} With all problems at once.
 */
export function loadConfig(variables: Variables, fileProblems: readonly ConfigProblem[] = []): Config {
  const { values, problems, ...parsed } = parseSettings(variables, fileProblems);
  if (!values) throw new ConfigError(problems);
  return toConfig(values, parsed, collectSecrets(variables));
}

function toConfig(
  values: SettingValues,
  { emulator, sourceOf }: Pick<ParsedSettings, 'emulator' | 'sourceOf'>,
  secrets: readonly string[],
) {
  const isProduction = values.NODE_ENV === 'production';
  const sandbox = values.SANDBOX ?? !isProduction;
  const cacheBytes = values.CACHE_MAX_MB * 2 ** 20;
  const cacheFile = values.CACHE_FILE ?? toDefaultCacheFile(values, emulator);
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
      /** The embedded emulator is never reached through a proxy. */
      ...(emulator ? NO_PROXIES : chooseKeyapiProxy(values, sourceOf)),
    },
    operationTimeoutMs: values.OPERATION_TIMEOUT_MS,
    cache: {
      ttlMs: values.CACHE_TTL_SECONDS * 1000,
      staleMs: values.CACHE_STALE_SECONDS * 1000,
      errorTtlMs: values.ERROR_TTL_SECONDS * 1000,
      statsTtlMs: values.STATS_TTL_SECONDS * 1000,
      pageBytes: cacheBytes,
      /** For numbers on videos. */
      statsBytes: cacheBytes / 4,
      /** For the JSON of rows. */
      rowBytes: cacheBytes / 4,
      /** For parsed documents. */
      documentBytes: cacheBytes / 8,
      /** For whole responses; 0: none is cached. */
      responseBytes: values.RESPONSE_CACHE ? (cacheBytes * 3) / 8 : 0,
      file: cacheFile,
    },
    history: {
      /** 0: no ranks are noted. */
      days: values.HISTORY_DAYS,
      maxBytes: cacheBytes / 4,
      /** Undefined when nothing is noted, too. */
      file: cacheFile && values.HISTORY_DAYS > 0 ? `${cacheFile}.history` : undefined,
      /** Charts whose ranks are recorded on every UTC day, even if nobody reads them. */
      snapshots: values.SNAPSHOT_CHARTS ?? [],
    },
    /** Undefined without Redis. */
    redis: toRedisConfig(values),
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
      /** How long an idle connection stays open. */
      keepAliveMs: values.KEEP_ALIVE_SECONDS * 1000,
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
    /** What browsers that visit the API get. */
    explorer: {
      sandbox,
      graphiql: sandbox && !isProduction,
      trustedOnly: values.PERSISTED_DOCUMENTS_ONLY,
    },
    subgraph: values.SUBGRAPH,
    /** Undefined: not served. Without a port: by the same server as `/graphql`. */
    metrics: isProduction && values.METRICS_PORT === undefined ? undefined : { port: values.METRICS_PORT },
    logLevel: values.LOG_LEVEL,
    /** Texts that no line of the log may contain. */
    secrets,
  };
}

const NO_PROXIES: ReturnType<typeof chooseProxy> = { proxy: undefined, bypassedProxy: undefined };

function chooseKeyapiProxy(values: SettingValues, sourceOf: ParsedSettings['sourceOf']) {
  const toProxy = (setting: 'HTTPS_PROXY' | 'HTTP_PROXY', url: URL | undefined): KeyapiProxy | undefined =>
    url && { url, variable: sourceOf(setting) };
  const proxies = {
    https: toProxy('HTTPS_PROXY', values.HTTPS_PROXY),
    http: toProxy('HTTP_PROXY', values.HTTP_PROXY),
  };
  return chooseProxy(values.KEYAPI_BASE_URL, proxies, values.NO_PROXY ?? []);
}

/** Only where the variable is set, as `npm run dev` does: a server that is merely started leaves no files behind. */
function toDefaultCacheFile({ NODE_ENV, REDIS_URL }: SettingValues, emulator: boolean): string | undefined {
  return NODE_ENV === 'development' && !emulator && !REDIS_URL ? DEVELOPMENT_CACHE_FILE : undefined;
}
