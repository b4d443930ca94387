import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { toFastifyLimits } from '../../../src/server/http/httpLimits.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { type RawAnswer, rawPost, sendRaw } from '../../support/rawHttp.ts';

const BODY = '{"query":"{ __typename }"}';
/** An operation that has to be paid for. */
const PAID = '{"query":"{ trendingVideos { totalCount } }"}';
const HEX = BODY.length.toString(16);
const CHUNKED = 'Transfer-Encoding: chunked';
const END = '0\r\n\r\n';
/** What a request hides that would be smuggled in. */
const NEXT = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n';

let app: EmulatedApp;
let port: number;
let lines: string[];

async function start(
  variables: Record<string, string> = {},
  options: { readonly requestMs?: number } = {},
): Promise<void> {
  lines = [];
  const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  app = await startEmulatedApp({}, variables, { log, ...options });
  await app.server.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.server.address() as AddressInfo).port;
}

/** Expects one answer, which is an error in the form of GraphQL's and tells nothing, and the end of the connection. */
function expectRefusal(answer: RawAnswer, status: number, message: RegExp = /./): void {
  expect([answer.statuses, answer.isClosed]).toEqual([[status], true]);
  const [head = '', body = ''] = answer.text.split('\r\n\r\n');
  expect(head).toMatch(/^x-content-type-options: nosniff$/im);
  expect(head).toMatch(/^connection: close$/im);
  expect(JSON.parse(body)).toEqual({
    errors: [
      { message: expect.stringMatching(message), extensions: { code: 'BAD_REQUEST', retryable: false } },
    ],
    extensions: { upstream: expect.objectContaining({ requests: 0 }) },
  });
}

afterEach(async () => {
  await app.close();
  expect(lines).toEqual([]);
});

describe('a request that could be read in two ways', () => {
  beforeEach(() => start());

  it.each([
    ['both lengths', rawPost(['Content-Length: 5', CHUNKED], END + NEXT)],
    ['both lengths, the other way round', rawPost([CHUNKED, 'Content-Length: 5'], END + NEXT)],
    ['two lengths', rawPost([`Content-Length: ${BODY.length}`, 'Content-Length: 5'], BODY + NEXT)],
    ['two lengths that are the same', rawPost(Array(2).fill(`Content-Length: ${BODY.length}`), BODY + NEXT)],
    ['a list of lengths', rawPost([`Content-Length: ${BODY.length}, ${BODY.length}`], BODY + NEXT)],
    ['a length with a sign', rawPost([`Content-Length: +${BODY.length}`], BODY + NEXT)],
    ['a length below zero', rawPost(['Content-Length: -1'], BODY + NEXT)],
    ['a header that is folded', rawPost(['X-A: b', ' c', `Content-Length: ${BODY.length}`], BODY + NEXT)],
    ['a coding that is folded', rawPost(['Transfer-Encoding:', ' chunked'], END + NEXT)],
    ['a space before the colon', rawPost(['Transfer-Encoding : chunked'], END + NEXT)],
    ['another coding', rawPost(['Transfer-Encoding: xchunked'], END + NEXT)],
    ['a coding after chunked', rawPost([CHUNKED, 'Transfer-Encoding: identity'], END + NEXT)],
    ['a chunk size that is none', rawPost([CHUNKED], `zz\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk size with a sign', rawPost([CHUNKED], `-1\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk size beyond all numbers', rawPost([CHUNKED], `${'f'.repeat(18)}\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk that is longer than its size', rawPost([CHUNKED], `2\r\n${BODY}\r\n${END}${NEXT}`)],
    ['chunks with half a line end', rawPost([CHUNKED], `${HEX}\n${BODY}\n0\n\n${NEXT}`)],
    ['a line end in a chunk extension', rawPost([CHUNKED], `${HEX};a\nb\r\n${BODY}\r\n${END}${NEXT}`)],
    ['half a line end in its head', `GET /livez HTTP/1.1\nHost: a\n\n${NEXT}`],
    ['a zero byte in a header', `GET /livez HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n${NEXT}`],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ])('is refused when it has %s, once, and what follows is not read', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 400);
  });

  it('is none when a chunk has an extension: it is read once', async () => {
    const text = rawPost([CHUNKED], `${HEX};name=value\r\n${BODY}\r\n${END}`);
    const { statuses, isClosed } = await sendRaw(port, [text + NEXT], { answers: 2 });
    expect([statuses, isClosed]).toEqual([[200, 200], false]);
  });

  it('is refused with 413 when the extensions never end', async () => {
    const flood = rawPost([CHUNKED], `${HEX};a=${'b'.repeat(20_000)}\r\n${BODY}\r\n${END}${NEXT}`);
    expectRefusal(await sendRaw(port, [flood]), 413);
  });

  it('does not take the place of an answer that is on its way', async () => {
    const release = app.holdUpstream();
    const text = rawPost([`Content-Length: ${PAID.length}`], PAID);
    const between = () => app.seeRequests(1);
    const { statuses, isClosed } = await sendRaw(port, [text, 'NO HTTP\r\n\r\n'], { between });
    expect([statuses, isClosed]).toEqual([[], true]);
    // The page is on its way still.
    release();
    await app.query('{ trendingVideos { totalCount } }');
    app.claimedElsewhere = 1;
  });
});

describe('a request that is too large', () => {
  beforeEach(() => start({ MAX_BODY_KB: '2', MAX_HEADER_KB: '4' }));

  it.each([
    ['says so', rawPost(['Content-Length: 2001'], 'x'.repeat(2001) + NEXT)],
    ['says so, and sends nothing', rawPost(['Content-Length: 2001'], '')],
    ['comes in chunks', rawPost([CHUNKED], `7d1\r\n${'x'.repeat(2001)}\r\n${END}${NEXT}`)],
  ])('is 413 when its body %s, and names the limit', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 413, /at most 2 kB \(MAX_BODY_KB\)/);
  });

  it('is none when its body is as large as it may be', async () => {
    const body = BODY.padEnd(2000);
    const text = rawPost([`Content-Length: ${body.length}`], body);
    const { statuses } = await sendRaw(port, [text], { answers: 1 });
    expect(statuses).toEqual([200]);
  });

  it.each([
    ['a header', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(4001)}\r\n\r\n${NEXT}`],
    ['its address', `GET /livez?${'a'.repeat(4001)} HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`],
    [
      'its headers together',
      `GET /livez HTTP/1.1\r\nHost: a\r\n${'X-Name: value\r\n'.repeat(400)}\r\n${NEXT}`,
    ],
  ])('is 431 when it is %s, and names the limit', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 431, /at most 4 kB \(MAX_HEADER_KB\)/);
  });
});

describe('a compressed request', () => {
  beforeEach(() => start());

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'identity, gzip', 'x'])(
    'in %s is 415, and is not inflated',
    async (encoding) => {
      // A hundred times as much as may come, in no more than may come.
      const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
      const head = rawPost([`Content-Encoding: ${encoding}`, `Content-Length: ${bomb.length}`], '');
      expect(bomb.length).toBeLessThan(100_000);
      const { statuses, text } = await sendRaw(port, [head, bomb], { answers: 1 });
      expect(statuses).toEqual([415]);
      expect(text).toMatch(/^accept-encoding: identity$/im);
      expect(text).toMatch(/"message":"[^"]*content-encoding.*"code":"BAD_REQUEST"/);
    },
  );

  it('that says it is not compressed is answered', async () => {
    const lines = ['Content-Encoding: identity', `Content-Length: ${BODY.length}`];
    expect((await sendRaw(port, [rawPost(lines, BODY)], { answers: 1 })).statuses).toEqual([200]);
  });
});

describe('a slow sender', () => {
  /** A beginning, and then a byte at a time, without an end. */
  function* drip(beginning: string): Generator<string> {
    yield beginning;
    for (;;) yield 'x';
  }

  it.each([
    ['of headers', 'GET /livez HTTP/1.1\r\nX: '],
    ['of a body', rawPost(['Content-Length: 9999999'], '')],
  ])('%s is closed with 408, though something comes all the time', async (_name, text) => {
    await start({ MAX_HEADER_KB: '1000', MAX_BODY_KB: '10000' }, { requestMs: 50 });
    const answer = await sendRaw(port, drip(text), { between: () => new Promise(setImmediate) });
    expectRefusal(answer, 408, /within 0\.05 s \(REQUEST_TIMEOUT_SECONDS\)/);
  });

  it('of nothing at all is closed', async () => {
    await start({}, { requestMs: 50 });
    expect((await sendRaw(port, [])).isClosed).toBe(true);
  });

  it.each([
    ['whose key is wrong', ['Content-Length: 50'], 401],
    [
      'of a body that is not read',
      ['Content-Encoding: gzip', 'X-Api-Key: 0123456789', 'Content-Length: 50'],
      415,
    ],
  ])('%s is answered once', async (_name, lines, status) => {
    await start({ API_KEYS: '0123456789' }, { requestMs: 250 });
    const { statuses, isClosed } = await sendRaw(port, [rawPost(lines, '{')]);
    expect([statuses, isClosed]).toEqual([[status], true]);
  });

  it('is closed within 20 seconds by default', async () => {
    const { limits } = loadConfig({});
    await start({ REQUEST_TIMEOUT_SECONDS: '15' });
    const { connectionsCheckingInterval } = toFastifyLimits(limits).http;
    const { requestTimeout, headersTimeout } = app.server.server;
    expect([requestTimeout, headersTimeout]).toEqual([limits.requestMs, limits.requestMs]);
    expect(limits.requestMs + connectionsCheckingInterval).toBeLessThan(20_000);
    expect(app.server.server).toMatchObject({ connectionsCheckingInterval });
  });

  /** Takes as long as it takes until a slow sender is closed. */
  const seeSlowOneClosed = () => sendRaw(port, ['GET /livez HTTP/1.1\r\n']);

  it('is not whoever keeps a connection, and asks now and then', async () => {
    await start({}, { requestMs: 250 });
    const text = rawPost([`Content-Length: ${BODY.length}`], BODY);
    const options = { answers: 3, between: seeSlowOneClosed };
    const { statuses, isClosed } = await sendRaw(port, [text, text, text], options);
    expect([statuses, isClosed]).toEqual([[200, 200, 200], false]);
  });

  it('is not an operation that takes its time', async () => {
    await start({}, { requestMs: 250 });
    const release = app.holdUpstream();
    const text = rawPost([`Content-Length: ${PAID.length}`], PAID);
    const answer = sendRaw(port, [text], { answers: 1 });
    await app.seeRequests(1);
    await seeSlowOneClosed();
    release();
    expect((await answer).statuses).toEqual([200]);
    app.claimedElsewhere = 1;
  });
});

it('a client that goes in the middle of a body is no error of ours, and costs nothing', async () => {
  await start();
  for (let count = 0; count < 3; count++) {
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path: '/graphql',
      method: 'POST',
      agent: new Agent(),
      headers: { 'content-type': 'application/json', 'content-length': 100 },
    }).on('error', () => undefined);
    request.write('{"query":');
    const [{ socket }] = await once(app.server.server, 'request');
    request.destroy();
    // Which is an error of the socket.
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect((await app.query('{ __typename }')).data).toEqual({ __typename: 'Query' });
  expect(app.bill).toEqual([]);
});

it('a client that goes before its answer is no error of ours either, and what it asked for is kept for the next one', async () => {
  await start();
  const release = app.holdUpstream();
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  socket.write(rawPost([`Content-Length: ${PAID.length}`], PAID));
  const [connection] = await once(app.server.server, 'connection');
  await app.seeRequests(1);
  socket.destroy();
  await once(connection, 'close');
  release();
  const { data, extensions } = await app.query('{ trendingVideos { totalCount } }');
  expect(data).toEqual({ trendingVideos: { totalCount: 500 } });
  expect(extensions.upstream.requests).toBe(0);
  expect(app.bill).toHaveLength(1);
  app.claimedElsewhere = 1;
});
