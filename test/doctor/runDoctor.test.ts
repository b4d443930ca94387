import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { createHistoryFile } from '../../src/data/history/historyFile.ts';
import { HistoryStore } from '../../src/data/history/historyStore.ts';
import { checkNode, OLDEST_NODE } from '../../src/doctor/checkNode.ts';
import { explainConnection } from '../../src/doctor/explainConnection.ts';
import { explainRedis } from '../../src/doctor/explainRedis.ts';
import { runDoctor } from '../../src/doctor/runDoctor.ts';
import { DAY_MS } from '../../src/domain/utcDay.ts';
import { createEmulator, type Emulator } from '../../src/keyapi/emulator/emulator.ts';
import { US_VIEWS } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { findFreePort } from '../support/freePort.ts';
import { type HttpProxy, refuse, startHttpProxy } from '../support/httpProxy.ts';
import { makeRanks } from '../support/ranks.ts';
import {
  type Handler,
  makeRow,
  makeSuccess,
  reply,
  startUpstream,
  type Upstream,
} from '../support/upstream.ts';

/** KEYAPI_TIMEOUT_MS where nothing is set. */
const TIMEOUT_MS = 5000;
const TOKEN = 'sk-secret-token-42';
const PASSWORD = 'pass-w0rd-never-shown';

let emulator: Emulator;
let clock: TestClock;
let base: string;
let folder: string;

beforeEach(async () => {
  clock = createTestClock();
  emulator = createEmulator({ token: TOKEN });
  base = (await emulator.listen()).origin;
  folder = await mkdtemp(path.join(tmpdir(), 'doctor-'));
});

afterEach(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

/** Runs the doctor with these variables alone, on any free port; gives its exit code and what it wrote. */
async function callDoctor(variables: Record<string, string>, ...args: string[]) {
  let output = '';
  const write = (text: string): void => {
    output += text;
  };
  const code = await runDoctor({ args, variables: { PORT: '0', ...variables }, folder, write, clock });
  expect(output).not.toMatch(/secret-token|never-shown|key-of-a-client|\n {4}at /);
  return { code, output };
}

/** Settings with which the doctor takes the emulator for KeyAPI. */
function onKeyapi(variables: Record<string, string> = {}): Record<string, string> {
  return { KEYAPI_BASE_URL: base, KEYAPI_TOKEN: TOKEN, CREDIT_BUDGET_PER_DAY: '100', ...variables };
}

/** Writes the history file beside this cache file, with the ranks of so many days of a chart. */
async function writeHistory(cacheFile: string, days: number, source = base): Promise<void> {
  const store = new HistoryStore({ clock, days: 8, maxBytes: 1e6 });
  for (let daysAgo = 0; daysAgo < days; daysAgo++)
    store.add(US_VIEWS, [makeRanks(['1'], { fetchedAt: clock.now() - daysAgo * DAY_MS })]);
  const file = `${cacheFile}.history`;
  const historyFile = createHistoryFile({ file, sourceId: source, store, clock, onEvent: () => undefined });
  historyFile.scheduleWrite();
  await historyFile.close();
}

describe('npm run doctor', () => {
  it('finds nothing to fix when no setting is set, and says that the data is demo data', async () => {
    const { code, output } = await callDoctor({});
    expect(output).toMatch(/^Node +ok +\d+/m);
    expect(output).toMatch(/^KeyAPI +note +demo data/m);
    expect(output).toMatch(/^Emulator +ok +accepted: 20 of 500 videos of the US chart/m);
    expect(output).toMatch(/^Numbers +ok +accepted/m);
    expect(output).toMatch(/^Nothing needs fixing\.$/m);
    expect(code).toBe(0);
  });

  it('spends nothing unless it is asked to, and says what a call costs', async () => {
    const { code, output } = await callDoctor(onKeyapi());
    expect(output).toMatch(
      /^Token +skipped +not checked: two calls cost 3 credits\n +-> npm run doctor -- --call$/m,
    );
    expect([code, emulator.counts.requests]).toEqual([0, 0]);
  });

  it('makes two calls with --call, after it has said that they cost 3 credits', async () => {
    const { code, output } = await callDoctor(onKeyapi({ API_KEYS: 'web:key-of-a-client' }), '--call');
    expect(output).toMatch(new RegExp(`^Two calls to ${base}: 3 credits\\.\\n`));
    expect(output).toMatch(/^Token +ok +accepted: 20 of 500 videos of the US chart arrived in \d+ ms$/m);
    expect(output).toMatch(/^Numbers +ok +accepted: KeyAPI sent numbers on a video of that chart$/m);
    const byEndpoint = { trendingVideos: 1, videoAnalytics: 1 };
    expect([code, emulator.counts]).toEqual([0, { requests: 2, credits: 3, byEndpoint }]);
  });

  it('lists all problems of the settings', async () => {
    const variables = {
      NODE_ENV: 'production',
      PORT: 'x',
      REDIS_URL: `http://:${PASSWORD}@a`,
      API_KEYS: 'short',
      CACHE_TTL_SECOND: '5',
    };
    const { code, output } = await callDoctor(variables);
    expect(output).toMatch(/^PORT +fix +expected a whole number from 0 to 65535, but got: "x"$/m);
    expect(output).toMatch(/^REDIS_URL +fix +expected redis:.*, but got: "http:\/\/\*\*\*@a\/"$/m);
    expect(output).toMatch(/^API_KEYS +fix .*, but key 1 has fewer than 8 characters$/m);
    expect(output).toMatch(/^CACHE_TTL_SECOND +fix .*did you mean CACHE_TTL_SECONDS\?$/m);
    expect(output).toMatch(/^KEYAPI_TOKEN +fix +expected the bearer token/m);
    expect(output).toMatch(/^Other parts +skipped /m);
    expect(code).toBe(1);
  });

  it('notes that nothing limits what a day costs, nor who may spend it', async () => {
    const variables = { NODE_ENV: 'production', KEYAPI_BASE_URL: base, KEYAPI_TOKEN: TOKEN };
    const { code, output } = await callDoctor(variables);
    expect(output).toMatch(/^Clients +note +no API_KEYS/m);
    expect(output).toMatch(/^Budget +note +no CREDIT_BUDGET_PER_DAY/m);
    expect(code).toBe(0);
  });

  it('says what the charts of SNAPSHOT_CHARTS cost, and notes what wastes it', async () => {
    const SNAPSHOT_CHARTS = 'US:LAST_7_DAYS:VIEWS:100,IN:LAST_30_DAYS:LIKES:21';
    const settings = { SNAPSHOT_CHARTS, CREDIT_BUDGET_PER_DAY: '14' };
    const enough = await callDoctor(onKeyapi({ ...settings, CACHE_FILE: path.join(folder, 'pages.json') }));
    expect(enough.output).toMatch(
      /^Snapshots +ok +SNAPSHOT_CHARTS costs at most 14 credits a UTC day, for 7 pages of 20 videos$/m,
    );
    const tooLittle = await callDoctor(onKeyapi({ SNAPSHOT_CHARTS, CREDIT_BUDGET_PER_DAY: '13' }));
    expect(tooLittle.output).toMatch(
      /^Snapshots +note +.* 14 .*: more than CREDIT_BUDGET_PER_DAY \(13\)\n +-> /m,
    );
    const forgotten = await callDoctor(onKeyapi(settings));
    expect(forgotten.output).toMatch(/^Snapshots +note +.* 14 .*\n +-> Set REDIS_URL or CACHE_FILE/m);
    expect([enough.code, tooLittle.code, forgotten.code, emulator.counts.requests]).toEqual([0, 0, 0, 0]);
    expect((await callDoctor(onKeyapi())).output).not.toContain('Snapshots');
  });

  it('notes that an address of KeyAPI is not used', async () => {
    const { code, output } = await callDoctor({ KEYAPI_EMULATOR: 'true', KEYAPI_BASE_URL: base });
    expect(output).toMatch(/^KEYAPI_BASE_URL +note +not used: KEYAPI_EMULATOR turns on demo data$/m);
    expect([code, emulator.counts.requests]).toEqual([0, 0]);
  });

  it('requires the same Node as package.json', async () => {
    const { engines } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(engines.node).toBe(`>=${OLDEST_NODE}`);
    const states = ['18.20.8', '20.18.3', '20.19.0', '22.0.0'].map((version) => checkNode(version).state);
    expect(states).toEqual(['fix', 'fix', 'ok', 'ok']);
  });
});

describe('the doctor, about KeyAPI', () => {
  let upstream: Upstream | undefined;

  afterEach(async () => {
    await upstream?.close();
    upstream = undefined;
  });

  function refusal(status: number, message: string | null = null): Handler {
    return reply({ code: status, data: null, message }, status);
  }

  /** Starts an upstream that serves a chart with one video, and responds to requests for numbers as told. */
  async function startCharts(numbers: Handler) {
    const page = reply(makeSuccess([makeRow('1')], { has_more: false, limit: 20, page: 1, total_count: 1 }));
    upstream = await startUpstream((request, response) =>
      (request.url?.includes('/analytics?') ? numbers : page)(request, response),
    );
    return { origin: upstream.url.origin, requests: upstream.requests };
  }

  it.each<[string, Handler, RegExp]>([
    [
      '401',
      refusal(401, `bad apiKey ${TOKEN}`),
      /KEYAPI_TOKEN is not accepted \(HTTP 401, it says "bad apiKey \[token\]"\)\n +-> Copy the token/,
    ],
    [
      '402',
      refusal(402, 'apiKey quota is not enough'),
      /credits are used up \(HTTP 402, it says "apiKey quota/,
    ],
    ['403', refusal(403), /is not allowed to read trending charts \(HTTP 403.*\n +-> Ask KeyAPI to allow/],
    [
      '429',
      refusal(429, 'qps limit exceeded'),
      /too many requests.*HTTP 429.*\n +-> Wait 60 s.*KEYAPI_QPS \(10\)/,
    ],
    ['402 under HTTP 200', reply({ code: 402, data: null }, 200), /used up \(HTTP 200, code 402/],
    [
      'no videos',
      reply(makeSuccess([], { has_more: false, limit: 20, page: 1, total_count: 0 })),
      /accepted, but KeyAPI sent no videos for the US chart.*\n +-> Ask KeyAPI/,
    ],
    [
      '500',
      refusal(500, 'Internal server error'),
      /KeyAPI responds with a server error \(HTTP 500.*\n +-> Try again later/,
    ],
    ['404', refusal(404), /is not what KeyAPI documents \(HTTP 404.*\n +-> Check that KEYAPI_BASE_URL/],
    ['HTML', reply('<html>', 200), /is not what KeyAPI documents \(HTTP 200\)/],
    ['silence', () => clock.expireDeadlines(TIMEOUT_MS), /did not respond within KEYAPI_TIMEOUT_MS \(5000\)/],
    ['a connection that breaks', (request) => void request.socket.destroy(), /was lost before a response/],
  ])('says what to do about %s, after one call', async (_, handler, expected) => {
    upstream = await startUpstream(handler);
    const variables = onKeyapi({ KEYAPI_BASE_URL: upstream.url.origin });
    const { code, output } = await callDoctor(variables, '--call');
    expect(output).toMatch(expected);
    expect(output).toMatch(/^Numbers +skipped +not checked: no video to request numbers for$/m);
    expect(output).toMatch(/^To fix: Token\.$/m);
    expect([code, upstream.requests.length]).toEqual([1, 1]);
  });

  it('only notes that the plan lacks numbers on videos: charts work without them', async () => {
    emulator.switches.analyticsStatus = 403;
    const { code, output } = await callDoctor(onKeyapi(), '--call');
    expect(output).toMatch(/^Token +ok /m);
    expect(output).toMatch(/^Numbers +note .*\(HTTP 403\).*\n +-> For numbers, ask KeyAPI to allow/m);
    expect([code, emulator.counts.credits]).toEqual([0, 3]);
  });

  it('only notes that KeyAPI does not know the video', async () => {
    emulator.switches.unknownVideos = 1;
    const { code, output } = await callDoctor(onKeyapi(), '--call');
    expect(output).toMatch(
      /^Numbers +note +accepted, but KeyAPI does not know video 7933310081972815260 .*null\n +-> If many/m,
    );
    expect(code).toBe(0);
  });

  it('only notes that numbers come without a count', async () => {
    const { origin } = await startCharts(reply({ code: 0, data: [{ video_id: '1' }] }));
    const { code, output } = await callDoctor(onKeyapi({ KEYAPI_BASE_URL: origin }), '--call');
    expect(output).toMatch(/^Numbers +note +accepted, but KeyAPI sent no count of video 1 /m);
    expect(code).toBe(0);
  });

  it.each<[string, Handler, RegExp]>([
    ['402', refusal(402, 'apiKey quota is not enough'), /credits are used up \(HTTP 402/],
    ['429', refusal(429), /too many requests.*HTTP 429.*\n +-> Wait 60 s/],
    [
      '500',
      refusal(500, 'Internal server error'),
      /KeyAPI responds with a server error \(HTTP 500.*\n +-> Try again later/,
    ],
    ['other rows', reply({ code: 0, data: [{}] }), /is not what KeyAPI documents \(HTTP 200\)/],
  ])('says what to do about %s in response to the second call', async (_, handler, expected) => {
    const { origin, requests } = await startCharts(handler);
    const { code, output } = await callDoctor(onKeyapi({ KEYAPI_BASE_URL: origin }), '--call');
    expect(output).toMatch(/^Token +ok /m);
    expect(output).toMatch(new RegExp(`^Numbers +fix +.*${expected.source}`, 'm'));
    expect(output).toMatch(/^To fix: Numbers\.$/m);
    expect([code, requests.length]).toEqual([1, 2]);
  });

  it('says that nothing listens, and spends nothing', async () => {
    const port = await findFreePort();
    const refused = await callDoctor(onKeyapi({ KEYAPI_BASE_URL: `http://127.0.0.1:${port}` }), '--call');
    expect(refused.output).toMatch(
      new RegExp(`^KeyAPI +fix +nothing listens on 127\\.0\\.0\\.1:${port}$`, 'm'),
    );
    expect(refused.output).toMatch(/^Token +skipped +not checked: KeyAPI cannot be reached$/m);
    expect(refused.output).not.toContain('credits');
    expect(refused.code).toBe(1);
  });

  it('says that TLS is not supported where it is required', async () => {
    const { code, output } = await callDoctor(onKeyapi({ KEYAPI_BASE_URL: base.replace('http:', 'https:') }));
    expect(output).toMatch(/^KeyAPI +fix .*(does not support TLS|closes the connection)/m);
    expect(output).toMatch(/-> Check whether KEYAPI_BASE_URL should use TLS/);
    expect(code).toBe(1);
  });

  it.each([
    ['CERT_HAS_EXPIRED', /has expired or is not valid yet/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another name/],
    ['ETIMEDOUT', /no connection to a:1 in time/],
    ['ENETUNREACH', /there is no route/],
    ['EAI_AGAIN', /DNS does not respond/],
  ])('explains %s', (code, words) => {
    const trouble = explainConnection({ code }, { variable: 'REDIS_URL', host: 'a', port: 1 });
    expect(trouble).toMatchObject({ found: expect.stringMatching(words), advice: expect.any(String) });
  });
});

describe('the doctor, about a proxy', () => {
  let proxy: HttpProxy | undefined;

  afterEach(async () => {
    await proxy?.close();
    proxy = undefined;
  });

  /** Starts a proxy; gives it, and its address with credentials. */
  async function start(onConnect?: Parameters<typeof startHttpProxy>[0]['onConnect']) {
    const started = await startHttpProxy({
      targetPort: Number(new URL(base).port),
      ...(onConnect && { onConnect }),
    });
    proxy = started;
    return {
      ...started,
      address: `http://user:${PASSWORD}@${started.url.host}`,
      shown: `http://***@${started.url.host}`,
    };
  }

  it('names the proxy for http, and calls through it only with --call', async () => {
    const { address, shown, forwarded, connects } = await start();
    const free = await callDoctor(onKeyapi({ HTTP_PROXY: address }));
    expect(free.output).toContain(`the proxy ${shown} (HTTP_PROXY) can be reached\n`);
    expect(free.output).toMatch(/^KeyAPI +ok +http:\S+ is requested through the proxy .*\(HTTP_PROXY\)/m);
    expect([free.code, forwarded]).toEqual([0, []]);
    const paid = await callDoctor(onKeyapi({ http_proxy: address }), '--call');
    expect(paid.output).toMatch(/^Token +ok .*\nNumbers +ok /m);
    expect(paid.output).toContain('(http_proxy) can be reached');
    expect([paid.code, forwarded.length, connects, emulator.counts.credits]).toEqual([0, 2, [], 3]);
  });

  it.each<[number, string, RegExp]>([
    [
      407,
      `user:${PASSWORD}@`,
      /does not accept the user or the password \(HTTP 407\)\n +-> Correct them in HTTPS_PROXY/,
    ],
    [401, `user:${PASSWORD}@`, /does not accept the user or the password \(HTTP 401\)\n +-> Correct them/],
    [
      407,
      '',
      /requires a user and a password \(HTTP 407\)\n +-> Add them in HTTPS_PROXY \(http:\/\/user:password@/,
    ],
    [
      403,
      '',
      /does not allow connections to keyapi\.test:443 \(HTTP 403\)\n +-> Have keyapi\.test:443 allowed .*NO_PROXY/,
    ],
    [502, '', /does not connect to keyapi\.test:443 \(HTTP 502\)\n +-> Check the log of the proxy/],
  ])('says what to do about %i of a proxy for https with %j', async (status, credentials, expected) => {
    const { url } = await start(refuse(status));
    const variables = { KEYAPI_BASE_URL: 'https://keyapi.test', HTTPS_PROXY: `${credentials}${url.host}` };
    const { code, output } = await callDoctor(onKeyapi(variables), '--call');
    expect(output).toMatch(new RegExp(`^Proxy +fix +http://\\S+ \\(HTTPS_PROXY\\) ${expected.source}`, 'm'));
    expect(output).toMatch(/^Token +skipped +not checked: KeyAPI cannot be reached$/m);
    expect(output).toMatch(/^To fix: Proxy\.$/m);
    expect([code, emulator.counts.requests]).toEqual([1, 0]);
  });

  it('says what to do about 407 of a proxy for http, after one call', async () => {
    const upstream = await startUpstream(reply('<html>', 407));
    const { code, output } = await callDoctor(onKeyapi({ HTTP_PROXY: upstream.url.origin }), '--call');
    expect(output).toMatch(
      /^Token +fix .*requires a user and a password \(HTTP 407\)\n +-> Add them in HTTP_PROXY/m,
    );
    expect([code, upstream.requests.length]).toEqual([1, 1]);
    await upstream.close();
  });

  it.each([
    ['https://keyapi.test', 'HTTPS_PROXY'],
    ['http://keyapi.test', 'http_proxy'],
  ])('names the variable of a proxy for %s that cannot be reached: %s', async (KEYAPI_BASE_URL, variable) => {
    const address = `127.0.0.1:${await findFreePort()}`;
    const { code, output } = await callDoctor(
      onKeyapi({ KEYAPI_BASE_URL, [variable]: `user:${PASSWORD}@${address}` }),
    );
    expect(output).toMatch(
      new RegExp(
        `^Proxy +fix +http://\\*\\*\\*@${address} \\(${variable}\\) cannot be reached: nothing listens on ${address}\\n +-> Start the service, or correct host and port in ${variable}$`,
        'm',
      ),
    );
    expect(code).toBe(1);
  });

  it('says that a proxy does not respond in time', async () => {
    const { url } = await start(() => undefined);
    const variables = {
      KEYAPI_BASE_URL: 'https://keyapi.test',
      HTTPS_PROXY: url.href,
      KEYAPI_TIMEOUT_MS: '50',
    };
    const { code, output } = await callDoctor(onKeyapi(variables));
    expect(output).toMatch(/^Proxy +fix .*\(HTTPS_PROXY\) cannot be reached: no connection to \S+ in time$/m);
    expect(code).toBe(1);
  });

  it('says that KeyAPI does not respond to TLS in time', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const variables = { KEYAPI_BASE_URL: `https://127.0.0.1:${port}`, KEYAPI_TIMEOUT_MS: '50' };
    const { code, output } = await callDoctor(onKeyapi(variables));
    expect(output).toMatch(/^KeyAPI +fix +no connection to \S+ in time$/m);
    expect(code).toBe(1);
    silent.close();
  });

  it('distinguishes the proxy from KeyAPI behind it', async () => {
    const { address } = await start();
    const variables = { KEYAPI_BASE_URL: 'https://keyapi.test', HTTPS_PROXY: address };
    const { code, output } = await callDoctor(onKeyapi(variables));
    expect(output).toMatch(/^Proxy +ok .*\(HTTPS_PROXY\) can be reached$/m);
    expect(output).toMatch(/^KeyAPI +fix +keyapi\.test:443 (does not support TLS|closes the connection)/m);
    expect(code).toBe(1);
  });

  it('says that an address in NO_PROXY has no effect', async () => {
    const { address } = await start();
    const { code, output } = await callDoctor(
      onKeyapi({ HTTP_PROXY: address, NO_PROXY: 'a.example http://127.0.0.1/' }),
    );
    expect(output).toMatch(
      /^NO_PROXY +note +has an entry with :\/\/, which has no effect\n +-> Write only the host/m,
    );
    expect(code).toBe(0);
  });

  it('says that NO_PROXY applies, or that the variable is for the other protocol', async () => {
    const { address, shown, forwarded } = await start();
    const bypassed = await callDoctor(onKeyapi({ HTTP_PROXY: address, no_proxy: '127.0.0.1' }), '--call');
    expect(bypassed.output).toContain(`${shown} (HTTP_PROXY) is not used: NO_PROXY includes 127.0.0.1\n`);
    const other = await callDoctor(onKeyapi({ https_proxy: address }), '--call');
    expect(other.output).toMatch(
      /^https_proxy +note +not used: KEYAPI_BASE_URL is http, for which HTTP_PROXY counts\n +-> Set/m,
    );
    expect([bypassed.code, other.code, forwarded, emulator.counts.credits]).toEqual([0, 0, [], 6]);
  });

  it('never reaches the demo data through a proxy', async () => {
    const { address, forwarded, connects } = await start();
    const { code, output } = await callDoctor({
      HTTP_PROXY: address,
      http_proxy: address,
      HTTPS_PROXY: address,
    });
    expect(output).toMatch(/^Emulator +ok /m);
    expect(output).not.toMatch(/proxy/i);
    expect([code, forwarded, connects]).toEqual([0, [], []]);
  });

  it('explains a setting that is wrong, in lower case too', async () => {
    const { code, output } = await callDoctor(onKeyapi({ http_proxy: `socks5://u:${PASSWORD}@proxy:1080` }));
    expect(output).toMatch(
      /^http_proxy +fix +expected an http or https address .*, but got: "socks5:\/\/\*\*\*@proxy:1080"\n +-> Proxy through which/m,
    );
    expect(code).toBe(1);
  });
});

describe('the doctor, about Redis', () => {
  it.each([
    ["READONLY You can't write against a read only replica.", /is a replica/],
    ["OOM command not allowed when used memory > 'maxmemory'.", /memory is full/],
    ['MISCONF Redis is configured to save RDB snapshots', /cannot write to its disk/],
    ['LOADING Redis is loading the dataset in memory', /still loading/],
    [`ERR unknown thing, with args beginning with: '${PASSWORD}'`, /^redis:6380: it cannot be used$/],
  ])('explains %s', (message, words) => {
    const { redis } = loadConfig({ REDIS_URL: 'redis://redis:6380' });
    const trouble = redis && explainRedis(new Error(message), redis);
    expect(trouble).toMatchObject({ found: expect.stringMatching(words), advice: expect.any(String) });
    expect(JSON.stringify(trouble)).not.toContain(PASSWORD);
  });
});

describe('the doctor, about the ports', () => {
  it('says that they are available, and does not keep them', async () => {
    const [port, metricsPort] = [await findFreePort(), await findFreePort()].map(String);
    const variables = { PORT: port ?? '', METRICS_PORT: metricsPort ?? '' };
    for (const { code, output } of [await callDoctor(variables), await callDoctor(variables)]) {
      expect(output).toMatch(new RegExp(`^PORT +ok +${port} is available$`, 'm'));
      expect(output).toMatch(new RegExp(`^METRICS_PORT +ok +${metricsPort} is available$`, 'm'));
      expect(code).toBe(0);
    }
  });

  it('only notes that a port is in use: the server may be running', async () => {
    const { port } = new URL(base);
    const { code, output } = await callDoctor({ METRICS_PORT: port });
    expect(output).toMatch(/^PORT +ok +a free port is available$/m);
    expect(output).toMatch(
      new RegExp(`^METRICS_PORT +note +127\\.0\\.0\\.1:${port} is in use\n +-> .*METRICS_PORT`, 'm'),
    );
    expect(code).toBe(0);
  });

  it('says once that the host is no address of this machine', async () => {
    const { code, output } = await callDoctor({ HOST: '192.0.2.1', METRICS_PORT: '0' });
    expect(output).toMatch(/^HOST +fix +expected an address of this machine, but got: "192\.0\.2\.1"$/m);
    expect(output).toMatch(/^To fix: HOST\.$/m);
    expect(code).toBe(1);
  });
});

describe('the doctor, about files', () => {
  it('says which .env it has read, with how many settings, and which of them are hidden', async () => {
    const file = path.join(folder, '.env');
    await writeFile(file, `KEYAPI_TOKEN=${TOKEN}\nKEYAPI_BASE_URL=${base}\nPORT=x\nCACHE_FILE=\nOTHER=1\n`);
    const { code, output } = await callDoctor({});
    expect(output).toContain(` ${file} has 3 settings\n`);
    expect(output).toMatch(/^\.env +note +not used, because the environment has them too: PORT$/m);
    expect(output).toMatch(/^KeyAPI +ok +http:.* can be reached$/m);
    expect(code).toBe(0);
  });

  it('reports problems in .env, and that it cannot be read', async () => {
    const file = path.join(folder, '.env');
    await writeFile(file, 'LOG_LEVEL="info\nNODE_EXTRA_CA_CERTS=ca.pem\n');
    const wrong = await callDoctor({});
    expect(wrong.output).toMatch(/^\.env +ok .* has 1 setting$/m);
    expect(wrong.output).toMatch(/^\.env +note +no effect in a file: NODE_EXTRA_CA_CERTS$/m);
    expect(wrong.output).toMatch(/^LOG_LEVEL +fix +expected a value without quotes/m);
    await rm(file);
    await mkdir(file);
    const folderInstead = await callDoctor({ NODE_ENV: 'production', PORT: 'x' });
    expect(folderInstead.output).toMatch(/^\.env +fix +expected a regular file .*, but got a folder$/m);
    expect(folderInstead.output).toMatch(/^To fix: \.env, PORT\.$/m);
    expect([wrong.code, folderInstead.code]).toEqual([1, 1]);
  });

  it('says that a cache file can be written, and leaves no file behind', async () => {
    const { code, output } = await callDoctor(onKeyapi({ CACHE_FILE: path.join(folder, 'pages.json') }));
    expect(output).toMatch(/^Cache file +ok .* has no pages yet, and can be written$/m);
    expect([code, await readdir(folder)]).toEqual([0, []]);
  });

  it('says that the folder of the cache file is missing, or that the file is a folder', async () => {
    const missing = await callDoctor(onKeyapi({ CACHE_FILE: path.join(folder, 'none', 'pages.json') }));
    expect(missing.output).toMatch(/^Cache file +fix +cannot be written: ENOENT/m);
    expect(missing.output).toContain(`-> Create the folder ${path.join(folder, 'none')}, and let this user`);
    await mkdir(path.join(folder, 'pages.json'));
    const none = await callDoctor(onKeyapi({ CACHE_FILE: path.join(folder, 'pages.json') }));
    expect(none.output).toMatch(/^Cache file +fix .*it is not a regular file$/m);
    expect([missing.code, none.code]).toEqual([1, 1]);
  });

  it('only notes a damaged cache file, which the server replaces', async () => {
    const file = path.join(folder, 'pages.json');
    await writeFile(file, 'nonsense');
    const { code, output } = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(output).toMatch(/^Cache file +note .*it is not a page cache of this version$/m);
    expect([code, await readFile(file, 'utf8')]).toEqual([0, 'nonsense']);
  });

  it('says what the history file has, and leaves no file behind', async () => {
    const file = path.join(folder, 'pages.json');
    const none = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(none.output).toMatch(
      /^History file +ok .*pages\.json\.history has no ranks yet, and can be written$/m,
    );
    expect([none.code, await readdir(folder)]).toEqual([0, []]);
    await writeHistory(file, 1);
    const one = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(one.output).toMatch(/^History file +ok .* has the ranks of 1 day of charts, and can be written$/m);
    await writeHistory(file, 3);
    const three = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(three.output).toMatch(/^History file +ok .* has the ranks of 3 days of charts, and/m);
    expect([three.code, await readdir(folder)]).toEqual([0, ['pages.json.history']]);
  });

  it('says nothing of a history file where none is used', async () => {
    const none = await callDoctor(onKeyapi());
    expect(none.output).toMatch(/^Cache file +ok +not used \(CACHE_FILE is not set\)$/m);
    const file = path.join(folder, 'pages.json');
    const off = await callDoctor(onKeyapi({ CACHE_FILE: file, HISTORY_DAYS: '0' }));
    for (const { output } of [none, off]) expect(output).not.toContain('History file');
  });

  it('says that the history file cannot be written, or is of another source', async () => {
    const missing = await callDoctor(onKeyapi({ CACHE_FILE: path.join(folder, 'none', 'pages.json') }));
    expect(missing.output).toMatch(
      /^History file +fix +cannot be written: ENOENT.*\n +-> Create the folder .*none,/m,
    );
    const file = path.join(folder, 'pages.json');
    await writeHistory(file, 1, 'emulator');
    const other = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(other.output).toMatch(
      /^History file +fix .* is not used: its ranks come from emulator, not http.*\n +-> Set CACHE_FILE to/m,
    );
    expect(other.output).toMatch(/^To fix: History file\.$/m);
    expect([missing.code, other.code]).toEqual([1, 1]);
  });

  it('only notes a damaged history file, which the server replaces', async () => {
    const file = path.join(folder, 'pages.json');
    await writeFile(`${file}.history`, 'nonsense');
    const { code, output } = await callDoctor(onKeyapi({ CACHE_FILE: file }));
    expect(output).toMatch(
      /^History file +note .*it is not a file of ranks of this version\n +-> .*\.ignored/m,
    );
    expect([code, await readFile(`${file}.history`, 'utf8')]).toEqual([0, 'nonsense']);
  });

  it('counts trusted documents, or says that they cannot be read', async () => {
    const file = 'schema/persisted-documents.json';
    const found = await callDoctor(onKeyapi({ PERSISTED_DOCUMENTS: file }));
    expect(found.output).toMatch(/^Documents +ok +\S+ has \d+ trusted documents$/m);
    const missing = await callDoctor(onKeyapi({ PERSISTED_DOCUMENTS: path.join(folder, 'none.json') }));
    expect(missing.output).toMatch(/^Documents +fix +PERSISTED_DOCUMENTS cannot be read: ENOENT/m);
    const secret = path.join(folder, 'token');
    await writeFile(secret, TOKEN);
    const wrong = await callDoctor({ PERSISTED_DOCUMENTS: secret });
    expect(wrong.output).toMatch(/^Documents +fix +PERSISTED_DOCUMENTS cannot be read: it is not JSON$/m);
    const none = await callDoctor(onKeyapi({ PERSISTED_DOCUMENTS: 'package-lock.json' }));
    expect(none.output).toMatch(/^Documents +fix .*its format is unknown$/m);
    expect([found.code, missing.code, none.code]).toEqual([0, 1, 1]);
  });
});
