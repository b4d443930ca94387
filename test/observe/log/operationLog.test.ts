import { afterEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { createAppLog } from '../../../src/compose/log.ts';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { type EmulatedApp, startEmulatedApp, type TestAppOptions, TOKEN } from '../../support/app.ts';
import { createTestClock } from '../../support/clock.ts';
import { createMemoryStream } from '../../support/log.ts';

const TOP = 'query Top { trendingVideos { nodes { itemId } } }';
const API_KEY = 'key"of\\the-board';
const REDIS_URL = 'redis://user:pass%2Fword-1@127.0.0.1:1';
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

let app: EmulatedApp;
let memory: ReturnType<typeof createMemoryStream>;

/** Starts the program with a log as it has, at its default level. */
async function start(
  variables: Record<string, string> = {},
  switches: Parameters<typeof startEmulatedApp>[0] = {},
  options: TestAppOptions = {},
): Promise<void> {
  memory = createMemoryStream();
  const log = createAppLog(loadConfig({ KEYAPI_TOKEN: TOKEN, ...variables }), memory.stream);
  app = await startEmulatedApp(switches, variables, { log, ...options });
}

async function send(request: InjectOptions = {}) {
  const response = await app.server.inject({
    method: 'POST',
    url: '/graphql',
    payload: { query: TOP },
    ...request,
  });
  app.claimedElsewhere += response.json().extensions?.upstream.requests ?? 0;
  return response;
}

afterEach(() => app.close());

describe('the log', () => {
  it('has one line for each operation', async () => {
    await start();
    const first = await send({ headers: { 'apollographql-client-name': 'board' } });
    await send();
    expect(memory.operations()).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        requestId: first.headers['x-request-id'],
        client: 'board',
        operation: 'Top',
        origin: 'made',
        outcome: 'ok',
        status: 200,
        durationMs: expect.any(Number),
        requests: 1,
        credits: 2,
        pages: { cached: 0, stale: 0, shared: 0, fetched: 1 },
        msg: 'Operation',
      },
      expect.objectContaining({ operation: 'Top', origin: 'kept', credits: 0 }),
    ]);
  });

  it('logs the error codes of an operation that failed, and of one that was refused', async () => {
    await start({}, { credits: 0 });
    await send();
    await send({ payload: '{', headers: { 'content-type': 'application/json' } });
    expect(memory.operations()).toMatchObject([
      { operation: 'Top', outcome: 'error', codes: ['UPSTREAM_QUOTA_EXCEEDED'], status: 200, credits: 2 },
      { origin: 'refused', outcome: 'error', codes: ['BAD_REQUEST'], status: 400, credits: 0 },
    ]);
  });

  it('has no line for the page of Apollo Sandbox', async () => {
    await start();
    await app.server.inject({ url: '/graphql', headers: { accept: 'text/html' } });
    expect(memory.operations()).toEqual([]);
  });

  it.each(['true', 'false'])(
    'has at most a hundred lines a second for operations that cost nothing, and the number of the others, with RESPONSE_CACHE=%s',
    async (RESPONSE_CACHE) => {
      const clock = createTestClock();
      await start({ RESPONSE_CACHE }, {}, { clock });
      await send();
      for (let time = 0; time < 350; time++) await send();
      // The one that cost something, and a hundred others.
      expect(memory.operations()).toHaveLength(101);
      clock.advance(1000);
      await send();
      expect(memory.operations()).toHaveLength(102);
      const left = [...memory.text().matchAll(/"count":(\d+),"msg":"Further operations/g)];
      expect(left.map(([, count]) => count)).toEqual(['250']);
    },
  );

  it('has a line for each operation that failed, however many there are', async () => {
    await start({ RESPONSE_CACHE: 'false' }, { credits: 0 });
    for (let time = 0; time < 102; time++) await send();
    expect(memory.operations()).toHaveLength(102);
  });

  it('names the API key of a request, whatever name the client gives itself', async () => {
    await start({ API_KEYS: 'board:0123456789' });
    await send({ headers: { 'x-api-key': '0123456789', 'apollographql-client-name': 'somebody else' } });
    expect(memory.operations()).toMatchObject([{ client: 'board' }]);
  });

  it.each(['x'.repeat(65), 'two\nlines', '{"a":1}', ''])(
    'takes no %j for the name of a client',
    async (name) => {
      await start();
      await send({ headers: { 'apollographql-client-name': name } });
      expect(memory.operations()[0]).not.toHaveProperty('client');
    },
  );

  it('leaves out overlong operation names, and has no long line', async () => {
    await start();
    const names = ['n'.repeat(128), 'n'.repeat(129), 'n'.repeat(90_000)];
    for (const name of names) await send({ payload: { query: `query ${name} { __typename }` } });
    expect(memory.operations().map(({ operation }) => operation)).toEqual([names[0], undefined, undefined]);
    for (const line of memory.text().split('\n')) expect(line.length).toBeLessThan(1000);
  });

  it('has the trace id of the traceparent header', async () => {
    await start();
    await send({ headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
    await send({ headers: { traceparent: `00-${'0'.repeat(32)}-b7ad6b7169203331-01` } });
    const [first, second] = memory.operations();
    expect(first).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c' });
    expect(second).not.toHaveProperty('traceId');
  });
});

describe('x-request-id', () => {
  it.each(['req-1', '01JD3Z', 'Root=1-67891233-abcdef012345678912345678', 'a'.repeat(128)])(
    'is the same in a request, its response and its log line: %s',
    async (id) => {
      await start();
      const response = await send({ headers: { 'x-request-id': id } });
      expect([response.headers['x-request-id'], memory.operations()[0]?.requestId]).toEqual([id, id]);
    },
  );

  it.each(['', 'two words', 'a'.repeat(129), '"', '<script>', 'é', '{}'])(
    'that is none (%j) is given anew',
    async (id) => {
      await start();
      const response = await send({ headers: { 'x-request-id': id } });
      expect(response.headers['x-request-id']).toMatch(UUID);
      expect(memory.operations()[0]?.requestId).toBe(response.headers['x-request-id']);
    },
  );

  it('is in every response, and different in each', async () => {
    await start();
    const ids = [];
    for (const url of ['/livez', '/readyz', '/metrics', '/nothing', '/graphql']) {
      ids.push((await app.server.inject(url)).headers['x-request-id']);
    }
    ids.push((await send()).headers['x-request-id'], (await send()).headers['x-request-id']);
    for (const id of ids) expect(id).toMatch(UUID);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('secrets', () => {
  it('are in no line, wherever clients send them, at any level', async () => {
    await start({ LOG_LEVEL: 'trace', API_KEYS: `board:${API_KEY}`, REDIS_URL });
    const secrets = [API_KEY, TOKEN, 'pass/word-1', 'pass%2Fword-1'];
    for (const secret of secrets) {
      const headers = { 'x-request-id': secret, 'apollographql-client-name': secret, traceparent: secret };
      await send({ headers: { ...headers, 'x-api-key': API_KEY } });
      await send({ headers: { ...headers, authorization: `Bearer ${secret}` } });
      await send({ headers, payload: `{"${secret}` });
      await send({ headers: { 'x-api-key': API_KEY }, url: `/graphql?${encodeURIComponent(secret)}` });
      await send({
        headers: { 'x-api-key': API_KEY },
        payload: { query: `query ${secret.replace(/\W/g, '_')}` },
      });
    }
    expect(memory.operations().length).toBeGreaterThan(15);
    const written = memory.text();
    for (const secret of secrets) {
      expect(written).not.toContain(secret);
      expect(written).not.toContain(JSON.stringify(secret).slice(1, -1));
    }
  });

  it('are redacted in a line that contains them all the same, which stays JSON', () => {
    const { stream, text } = createMemoryStream();
    const config = loadConfig({ KEYAPI_TOKEN: TOKEN, API_KEYS: `board:${API_KEY}`, REDIS_URL });
    const log = createAppLog(config, stream);
    log.warn({ token: `Bearer ${TOKEN}`, err: new Error(`${API_KEY} and pass/word-1`) }, REDIS_URL);
    expect(JSON.parse(text())).toMatchObject({
      token: 'Bearer [secret]',
      err: { message: '[secret] and [secret]' },
      msg: 'redis://user:[secret]@127.0.0.1:1',
    });
  });
});
