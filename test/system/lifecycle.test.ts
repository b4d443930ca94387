import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { PAGE_SIZE } from '../../src/domain/page.ts';
import { range, US_VIEWS } from '../support/charts.ts';
import { rawPost } from '../support/rawHttp.ts';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { poll } from './support/poll.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

const COUNT = '{ trendingVideos(first: 1) { totalCount } }';
const COUNTED = { data: { trendingVideos: { totalCount: 500 } } };
/** A module that raises uncaught errors: SIGUSR2 throws one, SIGPIPE rejects a promise with one. */
const FAULTS =
  "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('not caught')});process.on('SIGPIPE',()=>void Promise.reject(new Error('not caught')))";

let emulator: TestEmulator;
let program: Program;
let folder: string;

beforeEach(async () => {
  emulator = await startEmulator();
  folder = await mkdtemp(path.join(tmpdir(), 'lifecycle-'));
});

afterEach(async () => {
  program.child.kill('SIGKILL');
  await program.exit;
  await emulator.close();
  await rm(folder, { recursive: true });
});

/** Starts the server; returns its address. */
async function serve(variables: Record<string, string> = {}): Promise<string> {
  program = startProgram([process.execPath, '--import', FAULTS, MAIN], {
    PORT: '0',
    ...PATIENT,
    ...emulator.variables,
    ...variables,
  });
  const [, origin = ''] = await program.see(/GraphQL at (http:\S+)\/graphql/);
  return origin;
}

/** Waits until a closing server refuses new operations: by then the earlier ones are in flight. */
async function seeRefusals(origin: string): Promise<void> {
  await program.see(/"msg":"Closing"/);
  await poll(async () => (await ask(origin, '{ __typename }'))[0] === 503);
}

/** Sends an operation and waits until it is in flight; returns its pending response. */
async function begin(origin: string, query = COUNT): Promise<{ readonly response: Promise<unknown> }> {
  const { requests } = emulator.counts;
  const response = postQuery(`${origin}/graphql`, query);
  await emulator.seeRequests(requests + 1);
  return { response };
}

/** Sends an operation; returns the status and the body of its response. */
async function ask(origin: string, query: string): Promise<readonly [number, unknown]> {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return [response.status, await response.json()];
}

const CHARTS = ['US', 'GB', 'DE', 'FR', 'ES', 'IT', 'NL', 'SE', 'NO', 'DK'].flatMap((region) =>
  Object.values(TrendingOrder).map((orderBy) => ({ region, period: TrendingPeriod.LAST_7_DAYS, orderBy })),
);

/** The rank before the page of operation `i`. Each of the 1,000 operations has its own page: 40 charts of 25 pages. */
function rankBefore(i: number): number {
  return Math.floor(i / CHARTS.length) * PAGE_SIZE;
}

/** A field on a page of another chart. */
const LATE = 'trendingVideos(region: "JP", first: 1) { totalCount }';

/** The query of operation `i`, which also waits for the late page. */
function queryPage(i: number): string {
  const chart = CHARTS[i % CHARTS.length] ?? US_VIEWS;
  const rank = rankBefore(i);
  const after = rank === 0 ? '' : encodeCursor(chart, { rank, itemId: null });
  const { region, orderBy } = chart;
  return `{ trendingVideos(region: "${region}", orderBy: ${orderBy}, first: 1, after: "${after}") { edges { rank } } late: ${LATE} }`;
}

describe('on SIGTERM', () => {
  it('reports `draining` at /readyz, stays alive at /livez, and refuses new operations with SERVER_CLOSING', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const ready = await fetch(`${origin}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ok' }]);
    const { response } = await begin(origin);
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    const draining = await fetch(`${origin}/readyz`);
    expect([draining.status, await draining.json()]).toMatchObject([503, { status: 'draining' }]);
    expect((await fetch(`${origin}/livez`)).status).toBe(200);

    const refused = await fetch(`${origin}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: 'http://localhost:5173' },
      body: JSON.stringify({ query: COUNT }),
    });
    expect([refused.status, Object.fromEntries(refused.headers)]).toMatchObject([
      503,
      {
        'retry-after': '1',
        'cache-control': 'no-store',
        connection: 'close',
        'access-control-allow-origin': 'http://localhost:5173',
      },
    ]);
    expect(await refused.json()).toMatchObject({
      errors: [{ extensions: { code: 'SERVER_CLOSING', retryable: true, retryAfterSeconds: 1 } }],
      extensions: { upstream: { requests: 0, credits: 0 } },
    });
    release();
    expect(await response).toMatchObject(COUNTED);
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(1);
    expect(program.output()).not.toMatch(/sk-secret|"level":"(error|fatal)"/);
  });

  it('closes a keep-alive connection with the next response', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const get = (url: string) =>
      new Promise<IncomingMessage>((resolve, reject) => {
        httpRequest(url, { agent }, (response) => resolve(response.resume()))
          .on('error', reject)
          .end();
      });
    expect((await get(`${origin}/readyz`)).headers.connection).toBe('keep-alive');
    const { response } = await begin(origin);
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    const { statusCode, headers } = await get(`${origin}/readyz`);
    expect([statusCode, headers.connection]).toEqual([503, 'close']);
    release();
    expect(await response).toMatchObject(COUNTED);
    agent.destroy();
  });

  it('finishes 1,000 operations in flight, each for its own page, and writes the pages to the cache file', async () => {
    const file = path.join(folder, 'pages.json');
    const origin = await serve({
      KEYAPI_QPS: '10000',
      KEYAPI_CONCURRENCY: '1000',
      // All requests come from one address.
      RATE_LIMIT_PER_MINUTE: '0',
      CACHE_FILE: file,
    });
    // All wait for one page: on a slow machine, fetching 1,000 pages now could exceed the time limit for closing.
    const release = emulator.hold((page) => page.startsWith('JP'));
    const countCalls = () => program.output().match(/"outcome":"ok".*"msg":"Upstream call"/g)?.length ?? 0;
    const responses: Promise<unknown>[] = [];
    while (responses.length < 1000) {
      responses.push(...range(responses.length, responses.length + 99).map((i) => ask(origin, queryPage(i))));
      await poll(() => countCalls() === responses.length);
    }
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    release();
    expect(await Promise.all(responses)).toMatchObject(
      range(0, 999).map((i) => [
        200,
        { data: { trendingVideos: { edges: [{ rank: rankBefore(i) + 1 }] }, late: { totalCount: 500 } } },
      ]),
    );
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(1001);
    expect(program.output()).toMatch(/"pages":1001,"msg":"Cache file written"/);
    expect(await readFile(file, 'utf8')).not.toContain('sk-secret');
  });

  it('executes operations that were sent before the signal but not read yet', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const sockets = range(1, 300).map(() => connect(Number(new URL(origin).port), '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // Connections are accepted in order: this one after all of them.
    await fetch(`${origin}/livez`);
    const body = JSON.stringify({ query: COUNT });
    const responses = sockets.map((socket) => text(socket));
    // Without a pause: all requests are in the sockets before the signal is sent.
    for (const socket of sockets) socket.write(rawPost([`Content-Length: ${body.length}`], body));
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    release();
    const bodies = (await Promise.all(responses)).map((response) =>
      JSON.parse(response.split('\r\n\r\n')[1] ?? ''),
    );
    expect(bodies).toMatchObject(responses.map(() => COUNTED));
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(1);
  });

  it('aborts an operation that takes more than 10 seconds, and still writes the cache file', async () => {
    const origin = await serve({ CACHE_FILE: path.join(folder, 'pages.json') });
    await postQuery(`${origin}/graphql`, COUNT);
    emulator.hold();
    const { response } = await begin(origin, '{ trendingVideos(region: "DE") { totalCount } }');
    const aborted = expect(response).rejects.toThrow('fetch failed');
    program.child.kill('SIGTERM');
    // The operation is not aborted at once.
    await seeRefusals(origin);
    expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ status: 'draining' });
    await aborted;
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });
});

describe('on a second signal', () => {
  it('exits at once when at least half a second has passed', async () => {
    const origin = await serve();
    emulator.hold();
    const { response } = await begin(origin);
    const lost = expect(response).rejects.toThrow('fetch failed');
    program.child.kill('SIGINT');
    await program.see(/"msg":"Closing"/);
    await poll(() => {
      program.child.kill('SIGINT');
      return program.child.exitCode !== null;
    });
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain('A second SIGINT: requests in flight are lost');
    await lost;
  });

  it('ignores it within half a second, since one Ctrl-C sends two signals, from the terminal and from npm', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const { response } = await begin(origin);
    // On SIGCONT the process receives them together, on a slow machine too: both SIGINTs as one, and the SIGTERM.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const)
      program.child.kill(signal);
    await seeRefusals(origin);
    release();
    expect(await response).toMatchObject(COUNTED);
    expect(await program.exit).toBe(0);
    expect(program.output().match(/"msg":"Closing"/g)).toHaveLength(1);
  });
});

describe('on an uncaught error', () => {
  it.each([
    ['is thrown', 'SIGUSR2', 'uncaughtException'],
    ['rejects a promise', 'SIGPIPE', 'unhandledRejection'],
  ] as const)(
    'logs it, finishes the operations in flight and exits with 1 when it %s',
    async (_, signal, origin) => {
      const url = await serve({ CACHE_FILE: path.join(folder, 'pages.json') });
      const release = emulator.hold();
      const { response } = await begin(url);
      program.child.kill(signal);
      await program.see(/"level":"fatal".*"message":"not caught".*"msg":"Unexpected error: shutting down"/);
      await poll(async () => (await fetch(`${url}/readyz`)).status === 503);
      program.child.kill(signal);
      await program.see(/"level":"fatal".*"level":"fatal"/s);
      release();
      expect(await response).toMatchObject(COUNTED);
      expect(await program.exit).toBe(1);
      expect(program.output()).toContain(`"origin":"${origin}"`);
      expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
    },
  );
});
