import { describe, expect, it } from '@jest/globals';
import { problems } from '../support/problems.ts';

const PROPER = 'proper-token-1';
const SECRET = 's3cr3t-never-shown';

const QUOTES = 'expected a value without quotes around it (docker run --env-file does not remove them)';
const KEYS = 'expected keys of 8 characters or more, each as key or name:key, separated by commas';
const NO_TOKEN =
  'expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)';
const MODE = 'expected one of production, development, test';
const REDIS =
  'expected redis:// or rediss://, with user:password@ where needed, a host (or several, separated by commas), and a ' +
  '/database';
const NO_SOCKET = ', not the path of a socket: Redis is reached by TCP';
const HTTP = 'expected an http or https address without credentials, query or fragment';
const CHARTS =
  'expected charts such as US:LAST_7_DAYS:VIEWS:100, separated by commas, each chart once (a country code, LAST_7_DAYS or LAST_30_DAYS or LAST_120_DAYS, VIEWS or LIKES or COMMENTS or REPOSTS, and 1 to 500 ranks)';
const HISTORY = 'expected at least 2 with SNAPSHOT_CHARTS, which compares today with an earlier day';
const NOT_SHOWN = 'but got a value that is not shown: it may contain a password';

/** What is wrong, the variables, and what is printed. */
const MISTAKES: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
  [
    'a number is not one',
    { PORT: 'x', CACHE_TTL_SECONDS: '1h' },
    [
      'PORT: expected a whole number from 0 to 65535, but got: "x"',
      'CACHE_TTL_SECONDS: expected a whole number from 1 to 31536000, but got: "1h"',
    ],
  ],
  [
    'a number is out of bounds',
    { MAX_HEAP_PERCENT: '101' },
    ['MAX_HEAP_PERCENT: expected a whole number from 1 to 100, but got: "101"'],
  ],
  [
    'a switch is neither true nor false',
    { SANDBOX: 'yes' },
    ['SANDBOX: expected true or false, but got: "yes"'],
  ],
  [
    'a value has an escape sequence',
    { LOG_LEVEL: 'info\u001b[2J' },
    ['LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, but got: "info\\u001b[2J"'],
  ],
  [
    'values have line breaks',
    {
      PORT: `4000\nKEYAPI_TOKEN=${SECRET}`,
      CACHE_FILE: `pages.json\r${SECRET}`,
      KEYAPI_TOKEN: `${SECRET}\nPORT=4000`,
      REDIS_URL: 'redis://redis\n',
    },
    [
      'PORT: expected a value on one line',
      'KEYAPI_TOKEN: expected a value on one line',
      'CACHE_FILE: expected a value on one line',
    ],
  ],
  [
    'values have a quote on one side, or are in backquotes',
    {
      PORT: '"4000',
      LOG_LEVEL: "info'",
      HOST: '`::1`',
      CACHE_FILE: 'pages.json"',
      KEYAPI_TOKEN: `"${SECRET}`,
      API_KEYS: `web:\`${SECRET}`,
      REDIS_URL: `redis://u:${SECRET}@h"`,
      CORS_ORIGINS: "https://a.example,'https://b.example",
    },
    [
      `HOST: ${QUOTES}, but got: "\`::1\`"`,
      `PORT: ${QUOTES}, but got: "\\"4000"`,
      `KEYAPI_TOKEN: ${QUOTES}`,
      `CACHE_FILE: ${QUOTES}, but got: "pages.json\\""`,
      `REDIS_URL: ${QUOTES}, but got: "redis://***@h\\""`,
      `API_KEYS: ${QUOTES}`,
      `CORS_ORIGINS: ${QUOTES}, but got: "'https://b.example"`,
      `LOG_LEVEL: ${QUOTES}, but got: "info'"`,
    ],
  ],
  [
    'a value is very long',
    { PORT: 'x'.repeat(1000) },
    [`PORT: expected a whole number from 0 to 65535, but got: "${'x'.repeat(80)}…"`],
  ],
  [
    'an item of a list is wrong, and another one in quotes',
    { CORS_ORIGINS: 'https://a.example,https://B.example', TRUST_PROXY: '10.0.0.1, "10.0.0.2"' },
    [
      `TRUST_PROXY: ${QUOTES}, but got: "\\"10.0.0.2\\""`,
      'CORS_ORIGINS: expected origins such as https://app.example.com, separated by commas, but got: "https://B.example"',
    ],
  ],

  [
    'charts are wrong or missing',
    { SNAPSHOT_CHARTS: 'US:7:VIEWS:100,,IN:LAST_7_DAYS:LIKES:40,UK:LAST_7_DAYS:VIEWS:20' },
    [
      `SNAPSHOT_CHARTS: ${CHARTS}, but got: "US:7:VIEWS:100"`,
      `SNAPSHOT_CHARTS: ${CHARTS}, but got: ""`,
      `SNAPSHOT_CHARTS: ${CHARTS}, but got: "UK:LAST_7_DAYS:VIEWS:20"`,
    ],
  ],
  [
    'a chart is named twice',
    { SNAPSHOT_CHARTS: 'US:LAST_7_DAYS:VIEWS:100,us:LAST_7_DAYS:VIEWS:40' },
    [`SNAPSHOT_CHARTS: ${CHARTS}, but got: "us:LAST_7_DAYS:VIEWS:40"`],
  ],
  [
    'charts are in quotes',
    { SNAPSHOT_CHARTS: '"US:LAST_7_DAYS:VIEWS:100,IN:LAST_7_DAYS:LIKES:40"' },
    [`SNAPSHOT_CHARTS: ${QUOTES}, but got: "\\"US:LAST_7_DAYS:VIEWS:100"`],
  ],
  [
    'the setting for charts is misspelt',
    { SNAPSHOT_CHART: 'US:LAST_7_DAYS:VIEWS:100' },
    ['SNAPSHOT_CHART: expected a setting: did you mean SNAPSHOT_CHARTS?'],
  ],
  [
    'no day before today is noted of the charts',
    { SNAPSHOT_CHARTS: 'US:LAST_7_DAYS:VIEWS:100', HISTORY_DAYS: '1' },
    [`HISTORY_DAYS: ${HISTORY}, but got: "1"`],
  ],
  [
    'nothing is noted of the charts, which are wrong themselves',
    { SNAPSHOT_CHARTS: 'US', HISTORY_DAYS: '0' },
    [`SNAPSHOT_CHARTS: ${CHARTS}, but got: "US"`, `HISTORY_DAYS: ${HISTORY}, but got: "0"`],
  ],

  [
    'NODE_ENV is capitalised, and there is no token',
    { NODE_ENV: 'Production' },
    [`NODE_ENV: ${MODE}, but got: "Production"`, `KEYAPI_TOKEN: ${NO_TOKEN}`],
  ],
  [
    'NODE_ENV is shortened',
    { NODE_ENV: 'prod', KEYAPI_TOKEN: PROPER },
    [`NODE_ENV: ${MODE}, but got: "prod"`],
  ],
  ['NODE_ENV is another stage', { NODE_ENV: 'staging' }, [`NODE_ENV: ${MODE}, but got: "staging"`]],
  [
    'NODE_ENV is in quotes',
    { NODE_ENV: '"production"', KEYAPI_TOKEN: PROPER },
    [`NODE_ENV: ${QUOTES}, but got: "\\"production\\""`],
  ],

  ['the token is in quotes', { KEYAPI_TOKEN: `"${SECRET}"` }, [`KEYAPI_TOKEN: ${QUOTES}`]],
  [
    'the token has a space',
    { KEYAPI_TOKEN: `Bearer ${SECRET}` },
    ['KEYAPI_TOKEN: expected printable ASCII without spaces, but it contains a space'],
  ],
  [
    'the token has a typographic quote',
    { KEYAPI_TOKEN: `${SECRET}”` },
    ['KEYAPI_TOKEN: expected printable ASCII without spaces, but it contains another character'],
  ],
  ['all keys are in quotes', { API_KEYS: `"web:${SECRET},app:${SECRET}"` }, [`API_KEYS: ${QUOTES}`]],
  ['a single key is in quotes', { API_KEYS: `web:${SECRET},'app:${SECRET}'` }, [`API_KEYS: ${QUOTES}`]],
  [
    'a key is in quotes, without its name',
    { API_KEYS: `web:'${SECRET}',app:${SECRET}` },
    [`API_KEYS: ${QUOTES}`],
  ],
  [
    'keys are too short, missing, or not keys',
    { API_KEYS: `web:${SECRET},short,,w b:${SECRET},a:b:${SECRET},ä:${SECRET},:${SECRET}` },
    [
      `API_KEYS: ${KEYS}, but key 2 has fewer than 8 characters`,
      `API_KEYS: ${KEYS}, but key 3 is missing`,
      `API_KEYS: ${KEYS}, but key 4 contains a space`,
      `API_KEYS: ${KEYS}, but key 5 contains a second colon`,
      `API_KEYS: ${KEYS}, but key 6 has a name with other characters than letters, digits, - and _`,
      `API_KEYS: ${KEYS}, but key 7 has an empty name`,
    ],
  ],

  [
    'an address has credentials',
    { KEYAPI_BASE_URL: `https://user:${SECRET}@api.example/v2`, KEYAPI_TOKEN: PROPER },
    [`KEYAPI_BASE_URL: ${HTTP}, but got: "https://***@api.example/v2"`],
  ],
  [
    'an address has a token as user or in its query',
    { KEYAPI_BASE_URL: `https://${SECRET}@api.example/?key=${SECRET}#${SECRET}`, KEYAPI_TOKEN: PROPER },
    [`KEYAPI_BASE_URL: ${HTTP}, but got: "https://***@api.example/?***#***"`],
  ],
  [
    'an origin has a wildcard and a path',
    { CORS_ORIGINS: 'https://*.example.com/' },
    [
      'CORS_ORIGINS: expected origins such as https://app.example.com, separated by commas, but got: "https://*.example.com/"',
    ],
  ],
  [
    'an address has no scheme',
    { KEYAPI_BASE_URL: 'api.keyapi.ai', KEYAPI_TOKEN: PROPER },
    [`KEYAPI_BASE_URL: ${HTTP}, ${NOT_SHOWN}`],
  ],
  [
    'the password of Redis has a slash',
    { REDIS_URL: `redis://user:12/${SECRET}@redis` },
    [`REDIS_URL: ${REDIS}, ${NOT_SHOWN}`],
  ],
  [
    'the address of Redis has no //',
    { REDIS_URL: `redis:user:${SECRET}@redis` },
    [`REDIS_URL: ${REDIS}, ${NOT_SHOWN}`],
  ],
  [
    'the address of Redis is in quotes',
    { REDIS_URL: `'redis://user:${SECRET}@redis/1'` },
    [`REDIS_URL: ${QUOTES}, but got: "'redis://***@redis/1'"`],
  ],
  [
    'an address with a password is the value of another setting',
    { PORT: `redis://user:${SECRET}@redis`, CORS_ORIGINS: `https://user:${SECRET}@app.example` },
    [
      'PORT: expected a whole number from 0 to 65535, but got: "redis://***@redis"',
      'CORS_ORIGINS: expected origins such as https://app.example.com, separated by commas, but got: "https://***@app.example/"',
    ],
  ],

  [
    'an address is set, but no token',
    { KEYAPI_BASE_URL: 'https://api.example' },
    [
      'KEYAPI_TOKEN: expected the bearer token for KEYAPI_BASE_URL (or set KEYAPI_EMULATOR=true for demo data)',
    ],
  ],
  [
    'an address is set in production, but no token',
    { KEYAPI_BASE_URL: 'https://api.example', NODE_ENV: 'production' },
    [`KEYAPI_TOKEN: ${NO_TOKEN}`],
  ],
  [
    'only trusted documents are allowed, but there are none',
    { PERSISTED_DOCUMENTS_ONLY: 'true', PORT: 'x' },
    [
      'PORT: expected a whole number from 0 to 65535, but got: "x"',
      'PERSISTED_DOCUMENTS: expected the manifest of trusted documents, which PERSISTED_DOCUMENTS_ONLY=true ' +
        'requires',
    ],
  ],
  [
    'two listeners have one port',
    { METRICS_PORT: '4000' },
    ['METRICS_PORT: expected another port than PORT, but got: "4000"'],
  ],

  [
    'a letter of a name is missing, too many, another one, or two are swapped',
    {
      CACHE_TTL_SECOND: '5',
      KEYAPI_TOKEENN: SECRET,
      REDIS_URI: SECRET,
      NODE_EVN: 'production',
      API_KEYSS: '',
    },
    [
      'CACHE_TTL_SECOND: expected a setting: did you mean CACHE_TTL_SECONDS?',
      'REDIS_URI: expected a setting: did you mean REDIS_URL?',
      'NODE_EVN: expected a setting: did you mean NODE_ENV?',
      'API_KEYSS: expected a setting: did you mean API_KEYS?',
    ],
  ],
  [
    'the name of the token is misspelt in production',
    { KEYAPI_TOKN: SECRET, NODE_ENV: 'production' },
    [`KEYAPI_TOKEN: ${NO_TOKEN}`, 'KEYAPI_TOKN: expected a setting: did you mean KEYAPI_TOKEN?'],
  ],
  [
    'a name is in lower case',
    { keyapi_token: SECRET },
    ['keyapi_token: expected a setting: did you mean KEYAPI_TOKEN?'],
  ],
];

/** Addresses of which it cannot be told what in them is secret. */
const NOT_PLAIN = {
  REDIS_URL: [
    `myredis.redis.cache.windows.net:6380,password=${SECRET},ssl=True`,
    `redis://myredis.redis.cache.windows.net,password=${SECRET},ssl=True`,
    `redis:u:${SECRET}`,
    `user:${SECRET}`,
    `redis:///${SECRET}`,
    `redis://h/0;password=${SECRET}`,
    `redis://default:123#${SECRET}@host:6379`,
    `redis://default:12?${SECRET}@host`,
    `redis://default:12/${SECRET}@host`,
    `redis://h?password=${SECRET}`,
    `redis://h#${SECRET}`,
    `unix:/${SECRET}`,
    `https:user:${SECRET}@host`,
  ],
  KEYAPI_BASE_URL: [
    `https://user:12#${SECRET}@host`,
    `https://user:12?${SECRET}@host`,
    `https://user:12/${SECRET}@host?x`,
    `https:/user:${SECRET}@host`,
    `https://user:${SECRET}`,
    `https://host,key=${SECRET}?x`,
    `user:${SECRET}`,
    `ftp://user:${SECRET}@host`,
  ],
};

/** What is usually in an environment, beside the settings: of shells, containers, services, CI, Node and its tools. */
const USUAL_NAMES = `
  PATH HOME USER LOGNAME HOSTNAME SHELL TERM COLORTERM LANG LANGUAGE LC_ALL PWD OLDPWD SHLVL TZ EDITOR VISUAL PAGER MAIL DISPLAY _
  SSH_AUTH_SOCK SSH_CONNECTION XDG_RUNTIME_DIR XDG_CONFIG_HOME DBUS_SESSION_BUS_ADDRESS TMPDIR TEMP APPDATA USERPROFILE SystemRoot
  PROCESSOR_ARCHITECTURE ProgramFiles ComSpec DOCKER_HOST COMPOSE_PROJECT_NAME KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
  KUBERNETES_PORT KUBERNETES_PORT_443_TCP POD_NAME POD_IP NODE_NAME NODE_IP REDIS_HOST REDIS_PORT REDIS_PASSWORD REDIS_TLS_URL
  REDIS_SERVICE_HOST REDIS_SERVICE_PORT REDIS_PORT_6379_TCP DATABASE_URL API_KEY API_URL BASE_URL PUBLIC_URL SERVER_PORT HTTP_PORT
  HOST_NAME BIND_HOST LOG_FORMAT LOG_FILE DEBUG VERBOSE CI GITHUB_ACTIONS GITHUB_TOKEN GITLAB_CI BUILD_NUMBER NODE_OPTIONS NODE_PATH
  NODE_VERSION NODE_EXTRA_CA_CERTS NODE_NO_WARNINGS NODE_TLS_REJECT_UNAUTHORIZED NODE_DEBUG UV_THREADPOOL_SIZE NPM_TOKEN YARN_VERSION
  npm_config_cache npm_config_loglevel npm_lifecycle_event npm_package_name npm_node_execpath INIT_CWD NO_COLOR FORCE_COLOR
  HTTPS_PROXY HTTP_PROXY NO_PROXY ALL_PROXY https_proxy http_proxy no_proxy all_proxy SSL_CERT_FILE SSL_CERT_DIR DYNO WEB_CONCURRENCY
  AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN GOOGLE_APPLICATION_CREDENTIALS K_SERVICE INVOCATION_ID
  JOURNAL_STREAM NOTIFY_SOCKET CREDENTIALS_DIRECTORY SENTRY_DSN OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT APOLLO_KEY API_SECRET
  APOLLO_GRAPH_REF METRICS_SERVICE_HOST CACHE_DIR CACHE_TTL CACHE_URL INTROSPECTION_URL TRUST_STORE BOARD_PORT API_TOKEN`
  .trim()
  .split(/\s+/);

describe('the settings', () => {
  it.each(MISTAKES)('are refused when %s', (_name, variables, printed) => {
    expect(problems(variables)).toEqual(printed);
    expect(problems(variables).join()).not.toContain(SECRET);
  });

  it.each(
    Object.entries(NOT_PLAIN).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
  )('may be wrong without being shown: %s=%s', (name, value) => {
    const [printed = '', ...others] = problems({ KEYAPI_TOKEN: PROPER, [name]: value });
    const isSocket = /^(unix:|redis:\/\/\/)/.test(value);
    const expected = name === 'REDIS_URL' ? `${REDIS}${isSocket ? NO_SOCKET : ''}` : HTTP;
    expect(printed).toBe(`${name}: ${expected}, ${NOT_SHOWN}`);
    expect(others).toEqual([]);
  });

  it.each(['http://user:pass@x', '[::1]', '127.0.0.1:4000', '/tmp/x', 'a b', '-a', '::g', '*'])(
    'refuse %s as HOST, and show no password',
    (HOST) => {
      const shown = HOST.replace('user:pass@x', '***@x/');
      expect(problems({ HOST })).toEqual([`HOST: expected an address or a host name, but got: "${shown}"`]);
    },
  );

  it.each(['::', '0.0.0.0', 'fe80::1%eth0', 'localhost', 'my_host-1.example', 'x'])(
    'accept %s as HOST',
    (HOST) => expect(problems({ HOST })).toEqual([]),
  );

  it.each([
    'redis://redis_1',
    'rediss://u:p@redis.default.svc.cluster.local.:6379/15',
    'redis://[::1]:6379/',
  ])('accept %s as REDIS_URL', (REDIS_URL) => expect(problems({ REDIS_URL })).toEqual([]));

  it('may stand beside the names that are usual in an environment', () => {
    expect(problems(Object.fromEntries(USUAL_NAMES.map((name) => [name, 'x'])))).toEqual([]);
  });

  it('may have a name like them beside them, if they are set themselves', () => {
    expect(problems({ REDIS_URI: 'x', REDIS_URL: 'redis://redis' })).toEqual([]);
  });

  it.each([
    { KEYAPI_BASE_URL: 'https://api.example', KEYAPI_EMULATOR: 'true' },
    { KEYAPI_BASE_URL: 'https://api.example', KEYAPI_TOKEN: PROPER },
    { KEYAPI_BASE_URL: '' },
  ])('may be %j', (variables) => expect(problems(variables)).toEqual([]));
});
