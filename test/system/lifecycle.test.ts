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
/** Sends an error to whoever catches it, which nobody does: SIGUSR2 one that is thrown, SIGPIPE one that is rejected. */
const FAULTS =
  "data:text/javascript,process.on('SIGUSR2',()=>{throw new Error('nobody minds')});process.on('SIGPIPE',()=>void Promise.reject(new Error('nobody minds')))";

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

/** Starts the server; gives its address. */
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

/** Waits until a server that was told to end refuses what comes: what had come before is under way by then. */
async function seeRefusals(origin: string): Promise<void> {
  await program.see(/"msg":"Closing"/);
  await poll(async () => (await ask(origin, '{ __typename }'))[0] === 503);
}

/** Sends an operation, and waits until it is under way; gives its answer to come. */
async function begin(origin: string, query = COUNT): Promise<{ readonly answer: Promise<unknown> }> {
  const { requests } = emulator.counts;
  const answer = postQuery(`${origin}/graphql`, query);
  await emulator.seeRequests(requests + 1);
  return { answer };
}

/** Sends an operation; gives the status and the body of its answer. */
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

/** The rank in front of the page that operation `i` of 1,000 asks for: each asks for another, of 25 on 40 charts. */
function rankBefore(i: number): number {
  return Math.floor(i / CHARTS.length) * PAGE_SIZE;
}

/** A field for a page of none of those charts. */
const LATE = 'trendingVideos(region: "JP", first: 1) { totalCount }';

/** Operation `i`, which waits for the late page too. */
function queryPage(i: number): string {
  const chart = CHARTS[i % CHARTS.length] ?? US_VIEWS;
  const rank = rankBefore(i);
  const after = rank === 0 ? '' : encodeCursor(chart, { rank, itemId: null });
  const { region, orderBy } = chart;
  return `{ trendingVideos(region: "${region}", orderBy: ${orderBy}, first: 1, after: "${after}") { edges { rank } } late: ${LATE} }`;
}

describe('on SIGTERM', () => {
  it('says at /readyz that it drains, lives on at /livez, and refuses new operations by name', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const ready = await fetch(`${origin}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'ok' }]);
    const { answer } = await begin(origin);
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
    expect(await answer).toMatchObject(COUNTED);
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(1);
    expect(program.output()).not.toMatch(/sk-secret|"level":"(error|fatal)"/);
  });

  it('tells the next request on a connection that was kept to close it', async () => {
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
    const { answer } = await begin(origin);
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    const { statusCode, headers } = await get(`${origin}/readyz`);
    expect([statusCode, headers.connection]).toEqual([503, 'close']);
    release();
    expect(await answer).toMatchObject(COUNTED);
    agent.destroy();
  });

  it('carries out 1,000 operations that are in flight, each for a page of its own, and writes them to the cache file', async () => {
    const file = path.join(folder, 'pages.json');
    const origin = await serve({
      KEYAPI_QPS: '10000',
      KEYAPI_CONCURRENCY: '1000',
      // All come from one address.
      RATE_LIMIT_PER_MINUTE: '0',
      CACHE_FILE: file,
    });
    // One page for all to wait for: to take in another 1,000 might take longer than a server may on a busy machine.
    const release = emulator.hold((page) => page.startsWith('JP'));
    const countCalls = () => program.output().match(/"outcome":"ok".*"msg":"Upstream call"/g)?.length ?? 0;
    const answers: Promise<unknown>[] = [];
    while (answers.length < 1000) {
      answers.push(...range(answers.length, answers.length + 99).map((i) => ask(origin, queryPage(i))));
      await poll(() => countCalls() === answers.length);
    }
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    release();
    expect(await Promise.all(answers)).toMatchObject(
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

  it('carries out what was sent before it, though nobody has read that yet', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const sockets = range(1, 300).map(() => connect(Number(new URL(origin).port), '127.0.0.1'));
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    // Connections are let in one after the other: this one comes after all of them.
    await fetch(`${origin}/livez`);
    const body = JSON.stringify({ query: COUNT });
    const answers = sockets.map((socket) => text(socket));
    // In one go: all of it lies in the sockets before the signal is given.
    for (const socket of sockets) socket.write(rawPost([`Content-Length: ${body.length}`], body));
    program.child.kill('SIGTERM');
    await seeRefusals(origin);
    release();
    const bodies = (await Promise.all(answers)).map((answer) =>
      JSON.parse(answer.split('\r\n\r\n')[1] ?? ''),
    );
    expect(bodies).toMatchObject(answers.map(() => COUNTED));
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(1);
  });

  it('cuts an operation that is not answered within 10 seconds, and still writes the cache file', async () => {
    const origin = await serve({ CACHE_FILE: path.join(folder, 'pages.json') });
    await postQuery(`${origin}/graphql`, COUNT);
    emulator.hold();
    const { answer } = await begin(origin, '{ trendingVideos(region: "DE") { totalCount } }');
    const cut = expect(answer).rejects.toThrow('fetch failed');
    program.child.kill('SIGTERM');
    // Not at once.
    await seeRefusals(origin);
    expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({ status: 'draining' });
    await cut;
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });
});

describe('on a second signal', () => {
  it('ends at once, when half a second has passed', async () => {
    const origin = await serve();
    emulator.hold();
    const { answer } = await begin(origin);
    const lost = expect(answer).rejects.toThrow('fetch failed');
    program.child.kill('SIGINT');
    await program.see(/"msg":"Closing"/);
    await poll(() => {
      program.child.kill('SIGINT');
      return program.child.exitCode !== null;
    });
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain('A second SIGINT: what is in flight is lost');
    await lost;
  });

  it('does not end when it is the first one again, as one Ctrl-C comes from the terminal and from npm', async () => {
    const origin = await serve();
    const release = emulator.hold();
    const { answer } = await begin(origin);
    // However long this takes, they come at once: the first two as one, and another.
    for (const signal of ['SIGSTOP', 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGCONT'] as const)
      program.child.kill(signal);
    await seeRefusals(origin);
    release();
    expect(await answer).toMatchObject(COUNTED);
    expect(await program.exit).toBe(0);
    expect(program.output().match(/"msg":"Closing"/g)).toHaveLength(1);
  });
});

describe('on an error that nobody caught', () => {
  it.each([
    ['is thrown', 'SIGUSR2', 'uncaughtException'],
    ['rejects a promise', 'SIGPIPE', 'unhandledRejection'],
  ] as const)(
    'logs it, finishes what is in flight and exits with 1, when it %s',
    async (_, signal, origin) => {
      const url = await serve({ CACHE_FILE: path.join(folder, 'pages.json') });
      const release = emulator.hold();
      const { answer } = await begin(url);
      program.child.kill(signal);
      await program.see(/"level":"fatal".*"message":"nobody minds".*"msg":"Unexpected error: closing"/);
      await poll(async () => (await fetch(`${url}/readyz`)).status === 503);
      program.child.kill(signal);
      await program.see(/"level":"fatal".*"level":"fatal"/s);
      release();
      expect(await answer).toMatchObject(COUNTED);
      expect(await program.exit).toBe(1);
      expect(program.output()).toContain(`"origin":"${origin}"`);
      expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
    },
  );
});
