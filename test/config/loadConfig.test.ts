import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { problems } from '../support/problems.ts';

describe('loadConfig', () => {
  it('uses every setting', async () => {
    const files = ['src/config/loadConfig.ts', 'src/config/parseSettings.ts', 'src/config/redisConfig.ts'];
    const text = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join();
    expect(Object.keys(SETTINGS).filter((name) => !new RegExp(`\\.${name}\\b`).test(text))).toEqual([]);
  });

  it('needs no variables in development, and turns on demo data, Sandbox and introspection', () => {
    expect(loadConfig({})).toEqual({
      host: '127.0.0.1',
      port: 4000,
      keyapi: {
        baseUrl: new URL('https://api.keyapi.ai'),
        token: undefined,
        emulator: true,
        qps: 10,
        concurrency: 8,
        timeoutMs: 5000,
        proxy: undefined,
        bypassedProxy: undefined,
      },
      operationTimeoutMs: 10_000,
      cache: {
        ttlMs: 3_600_000,
        staleMs: 86_400_000,
        errorTtlMs: 1000,
        pageBytes: 64 * 2 ** 20,
        statsBytes: 16 * 2 ** 20,
        statsTtlMs: 21_600_000,
        responseBytes: 24 * 2 ** 20,
        rowBytes: 16 * 2 ** 20,
        documentBytes: 8 * 2 ** 20,
        file: undefined,
      },
      history: { days: 8, maxBytes: 2 ** 24, file: undefined, snapshots: [] },
      credits: { perDay: undefined, perOperation: 25 },
      documentLimits: {
        tokens: 1000,
        depth: 10,
        aliases: 30,
        rootFields: 20,
        directives: 10,
        validationErrors: 5,
      },
      apiKeys: undefined,
      limits: {
        bodyBytes: 100_000,
        headerBytes: 16_000,
        requestMs: 15_000,
        keepAliveMs: 72_000,
        requestsPerMinute: 600,
        eventLoopDelayMs: 1000,
        heapShare: 0.9,
      },
      trustProxy: false,
      persistedDocuments: undefined,
      corsOrigins: ['https://studio.apollographql.com', expect.any(RegExp)],
      introspection: true,
      explorer: { sandbox: true, graphiql: true, trustedOnly: false },
      subgraph: true,
      metrics: { port: undefined },
      logLevel: 'info',
      secrets: [],
    });
  });

  it('accepts API keys with or without a name', () => {
    const { apiKeys } = loadConfig({ API_KEYS: 'board:0123456789, my-app:abc_DEF-1, bare-key-1' });
    expect(apiKeys).toEqual([
      { name: 'board', key: '0123456789' },
      { name: 'my-app', key: 'abc_DEF-1' },
      { name: undefined, key: 'bare-key-1' },
    ]);
  });

  it.each([
    ['true', true],
    ['false', false],
    ['0', 0],
    ['2', 2],
    ['10.0.0.1', ['10.0.0.1']],
    ['loopback, 10.0.0.0/8,2001:db8::/32', ['loopback', '10.0.0.0/8', '2001:db8::/32']],
  ])('accepts %s as TRUST_PROXY', (TRUST_PROXY, trustProxy) => {
    expect(loadConfig({ TRUST_PROXY }).trustProxy).toEqual(trustProxy);
  });

  it.each([
    'yes',
    '11',
    '-1',
    '1.5',
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/0',
    '10.0.0.1:80',
    'fe80::1%br-lan',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '2001:db8::/129',
    'proxy.example',
    ',',
  ])('rejects %j as TRUST_PROXY', (TRUST_PROXY) =>
    expect(problems({ TRUST_PROXY })).toEqual([expect.stringMatching(/^TRUST_PROXY: expected true/)]),
  );

  it.each(['short', 'board:short', 'a,b', 'two words-1', 'a:b:0123456789', ',0123456789'])(
    'rejects %j as API_KEYS, and does not show it',
    (API_KEYS) => {
      expect(problems({ API_KEYS }).join()).toMatch(/^API_KEYS: expected keys of 8 characters or more/);
      expect(problems({ API_KEYS }).join()).not.toContain(API_KEYS);
    },
  );

  it.each([{}, { NODE_ENV: 'test' }, { NODE_ENV: 'development' }])(
    'takes %j for development',
    (variables) => {
      expect(loadConfig(variables)).toEqual(loadConfig({}));
    },
  );

  it('turns off demo data, CORS, introspection and Sandbox in production', () => {
    expect(loadConfig({ NODE_ENV: 'production', KEYAPI_TOKEN: 'sk-1' })).toMatchObject({
      keyapi: { emulator: false, token: 'sk-1' },
      corsOrigins: [],
      introspection: false,
      explorer: { sandbox: false, graphiql: false, trustedOnly: false },
    });
  });

  it.each([
    ['there is no token', {}, true],
    ['there is a token', { KEYAPI_TOKEN: 'sk-1' }, false],
    ['the emulator is requested despite a token', { KEYAPI_TOKEN: 'sk-1', KEYAPI_EMULATOR: 'true' }, true],
    ['the emulator is requested in production', { NODE_ENV: 'production', KEYAPI_EMULATOR: '1' }, true],
  ])('chooses the emulator or KeyAPI when %s', (_name, variables, emulator) => {
    expect(loadConfig(variables).keyapi.emulator).toBe(emulator);
  });

  it.each([
    { NODE_ENV: 'production' },
    { KEYAPI_EMULATOR: 'false' },
    { NODE_ENV: 'production', KEYAPI_TOKEN: '' },
  ])('reports a missing token for %j', (variables) => {
    expect(problems(variables)).toEqual([
      'KEYAPI_TOKEN: expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)',
    ]);
  });

  it('lists a missing token beside other problems', () => {
    expect(problems({ NODE_ENV: 'production', PORT: 'x' })).toEqual([
      'PORT: expected a whole number from 0 to 65535, but got: "x"',
      expect.stringMatching(/^KEYAPI_TOKEN: /),
    ]);
  });

  it('lists all problems at once, and shows no secret', () => {
    const variables = {
      PORT: '70000',
      KEYAPI_TOKEN: 'two words',
      KEYAPI_BASE_URL: 'https://user:secret@api.example',
      HTTPS_PROXY: 'socks5://user:secret@proxy.example:1080',
      http_proxy: 'http://proxy.example/path',
      KEYAPI_EMULATOR: 'maybe',
      KEYAPI_CONCURRENCY: '0',
      KEYAPI_TIMEOUT_MS: '5s',
      KEYAPI_QPS: '1.5',
      OPERATION_TIMEOUT_MS: '0',
      CACHE_TTL_SECONDS: '-1',
      CACHE_STALE_SECONDS: 'long',
      ERROR_TTL_SECONDS: '61',
      CREDIT_BUDGET_PER_DAY: '-2',
      MAX_CREDITS_PER_OPERATION: 'all',
      MAX_DOCUMENT_TOKENS: '5001',
      MAX_DOCUMENT_DEPTH: '0',
      MAX_DOCUMENT_ALIASES: '-1',
      MAX_ROOT_FIELDS: 'many',
      MAX_DIRECTIVES: '1e3',
      MAX_VALIDATION_ERRORS: '1',
      CACHE_MAX_MB: '0.5',
      REDIS_URL: 'https://user:secret@redis.example',
      REDIS_PREFIX: 'two words',
      RATE_LIMIT_PER_MINUTE: 'many',
      MAX_BODY_KB: '0',
      MAX_HEADER_KB: '16kB',
      REQUEST_TIMEOUT_SECONDS: '0',
      KEEP_ALIVE_SECONDS: '0',
      MAX_EVENT_LOOP_DELAY_MS: '1',
      MAX_HEAP_PERCENT: '101',
      CORS_ORIGINS: 'https://a.example,https://b.example/path',
      INTROSPECTION: 'ja',
      LOG_LEVEL: 'loud',
    };
    const found = problems(variables);
    expect(found).toEqual([
      'PORT: expected a whole number from 0 to 65535, but got: "70000"',
      'KEYAPI_TOKEN: expected printable ASCII without spaces, but it contains a space',
      'KEYAPI_BASE_URL: expected an http or https address without credentials, query or fragment, but got: "https://***@api.example/"',
      'HTTPS_PROXY: expected an http or https address of a proxy, such as http://user:password@proxy:3128, without a path, and with user and password percent-encoded, but got: "socks5://***@proxy.example:1080"',
      'http_proxy: expected an http or https address of a proxy, such as http://user:password@proxy:3128, without a path, and with user and password percent-encoded, but got: "http://proxy.example/path"',
      'KEYAPI_EMULATOR: expected true or false, but got: "maybe"',
      'KEYAPI_QPS: expected a whole number from 1 to 10000, but got: "1.5"',
      'KEYAPI_CONCURRENCY: expected a whole number from 1 to 1000, but got: "0"',
      'KEYAPI_TIMEOUT_MS: expected a whole number from 1 to 600000, but got: "5s"',
      'OPERATION_TIMEOUT_MS: expected a whole number from 1 to 600000, but got: "0"',
      'CACHE_TTL_SECONDS: expected a whole number from 1 to 31536000, but got: "-1"',
      'CACHE_STALE_SECONDS: expected a whole number from 0 to 31536000, but got: "long"',
      'ERROR_TTL_SECONDS: expected a whole number from 1 to 60, but got: "61"',
      'CACHE_MAX_MB: expected a whole number from 1 to 1048576, but got: "0.5"',
      'REDIS_URL: expected redis:// or rediss://, with user:password@ where needed, a host (or several, separated by commas), and a /database, but got: "https://***@redis.example/"',
      'REDIS_PREFIX: expected up to 64 letters, digits and .:_-{}, but got: "two words"',
      'CREDIT_BUDGET_PER_DAY: expected a whole number from 0 to 999999999999, but got: "-2"',
      'MAX_CREDITS_PER_OPERATION: expected a whole number from 0 to 999999999999, but got: "all"',
      'MAX_DOCUMENT_TOKENS: expected a whole number from 1 to 5000, but got: "5001"',
      'MAX_DOCUMENT_DEPTH: expected a whole number from 1 to 5000, but got: "0"',
      'MAX_DOCUMENT_ALIASES: expected a whole number from 0 to 5000, but got: "-1"',
      'MAX_ROOT_FIELDS: expected a whole number from 1 to 5000, but got: "many"',
      'MAX_DIRECTIVES: expected a whole number from 0 to 5000, but got: "1e3"',
      'MAX_VALIDATION_ERRORS: expected a whole number from 2 to 100, but got: "1"',
      'RATE_LIMIT_PER_MINUTE: expected a whole number from 0 to 1000000, but got: "many"',
      'MAX_BODY_KB: expected a whole number from 1 to 10000, but got: "0"',
      'MAX_HEADER_KB: expected a whole number from 1 to 1000, but got: "16kB"',
      'REQUEST_TIMEOUT_SECONDS: expected a whole number from 1 to 600, but got: "0"',
      'KEEP_ALIVE_SECONDS: expected a whole number from 1 to 86400, but got: "0"',
      'MAX_EVENT_LOOP_DELAY_MS: expected a whole number from 10 to 600000, but got: "1"',
      'MAX_HEAP_PERCENT: expected a whole number from 1 to 100, but got: "101"',
      'CORS_ORIGINS: expected origins such as https://app.example.com, separated by commas, but got: "https://b.example/path"',
      'INTROSPECTION: expected true or false, but got: "ja"',
      'LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, but got: "loud"',
    ]);
    expect(found.join()).not.toMatch(/secret|two words.*two words/);
  });

  it('treats an empty variable as unset', () => {
    expect(loadConfig({ PORT: '', KEYAPI_TOKEN: ' ', CORS_ORIGINS: '' })).toMatchObject({
      port: 4000,
      keyapi: { emulator: true },
    });
  });

  it('reads charts and their ranks, the region in either case', () => {
    const SNAPSHOT_CHARTS = 'us:LAST_7_DAYS:VIEWS:100, IN:LAST_30_DAYS:LIKES:1,DE:LAST_120_DAYS:REPOSTS:500';
    expect(loadConfig({ SNAPSHOT_CHARTS, HISTORY_DAYS: '2' }).history.snapshots).toEqual([
      { chart: { region: 'US', period: 7, orderBy: 'VIEWS' }, ranks: 100 },
      { chart: { region: 'IN', period: 30, orderBy: 'LIKES' }, ranks: 1 },
      { chart: { region: 'DE', period: 120, orderBy: 'REPOSTS' }, ranks: 500 },
    ]);
  });

  it.each([
    'US',
    'US:LAST_7_DAYS:VIEWS',
    'US:LAST_7_DAYS:VIEWS:',
    'US:LAST_7_DAYS:VIEWS:0',
    'US:LAST_7_DAYS:VIEWS:501',
    'US:LAST_7_DAYS:VIEWS:1e2',
    'US:LAST_7_DAYS:VIEWS:20:20',
    'US:7:VIEWS:20',
    'US:last_7_days:VIEWS:20',
    'US:toString:VIEWS:20',
    'US:LAST_7_DAYS:views:20',
    'US:LAST_7_DAYS:SHARES:20',
    'XX:LAST_7_DAYS:VIEWS:20',
    'ß:LAST_7_DAYS:VIEWS:20',
  ])('rejects %j as SNAPSHOT_CHARTS', (SNAPSHOT_CHARTS) => {
    const [problem, ...others] = problems({ SNAPSHOT_CHARTS });
    expect(problem).toMatch(
      /^SNAPSHOT_CHARTS: expected charts such as US:LAST_7_DAYS:VIEWS:100, separated by commas, /,
    );
    expect(problem).toMatch(new RegExp(`, but got: "${SNAPSHOT_CHARTS}"$`));
    expect(others).toEqual([]);
  });

  it('reads a list of origins', () => {
    expect(loadConfig({ CORS_ORIGINS: 'https://a.example, http://localhost:3000' }).corsOrigins).toEqual([
      'https://a.example',
      'http://localhost:3000',
    ]);
  });
});

describe('the cache file', () => {
  it.each<[string | undefined, Record<string, string>]>([
    ['.dev-cache.json', { NODE_ENV: 'development', KEYAPI_TOKEN: 'sk' }],
    ['pages.json', { NODE_ENV: 'development', KEYAPI_TOKEN: 'sk', CACHE_FILE: 'pages.json' }],
    [undefined, { NODE_ENV: 'development' }],
    [undefined, { NODE_ENV: 'development', KEYAPI_TOKEN: 'sk', REDIS_URL: 'redis://127.0.0.1' }],
    [undefined, { KEYAPI_TOKEN: 'sk' }],
    [undefined, { NODE_ENV: 'production', KEYAPI_TOKEN: 'sk' }],
  ])('is %s with %j', (file, variables) => {
    const { cache, history } = loadConfig(variables);
    expect([cache.file, history.file]).toEqual([file, file && `${file}.history`]);
  });
});
