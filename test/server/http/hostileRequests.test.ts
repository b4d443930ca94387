import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { toFastifyLimits } from '../../../src/server/http/httpLimits.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { type RawResponses, rawPost, sendRaw } from '../../support/rawHttp.ts';

const BODY = '{"query":"{ __typename }"}';
/** An operation that costs credits. */
const PAID = '{"query":"{ trendingVideos { totalCount } }"}';
const HEX = BODY.length.toString(16);
const CHUNKED = 'Transfer-Encoding: chunked';
const END = '0\r\n\r\n';
/** The request that an attacker would smuggle in behind another one. */
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

/** Expects one response, an error in the form of GraphQL's that reveals nothing, and a closed connection. */
function expectRefusal(received: RawResponses, status: number, message: RegExp = /./): void {
  expect([received.statuses, received.isClosed]).toEqual([[status], true]);
  const [head = '', body = ''] = received.text.split('\r\n\r\n');
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

describe('the HTTP parser', () => {
  beforeEach(() => start());

  it.each([
    ['a length and a transfer coding', rawPost(['Content-Length: 5', CHUNKED], END + NEXT)],
    ['a transfer coding and a length', rawPost([CHUNKED, 'Content-Length: 5'], END + NEXT)],
    ['two different lengths', rawPost([`Content-Length: ${BODY.length}`, 'Content-Length: 5'], BODY + NEXT)],
    ['two equal lengths', rawPost(Array(2).fill(`Content-Length: ${BODY.length}`), BODY + NEXT)],
    ['a list of lengths', rawPost([`Content-Length: ${BODY.length}, ${BODY.length}`], BODY + NEXT)],
    ['a length with a sign', rawPost([`Content-Length: +${BODY.length}`], BODY + NEXT)],
    ['a negative length', rawPost(['Content-Length: -1'], BODY + NEXT)],
    ['a folded header', rawPost(['X-A: b', ' c', `Content-Length: ${BODY.length}`], BODY + NEXT)],
    ['a folded transfer coding', rawPost(['Transfer-Encoding:', ' chunked'], END + NEXT)],
    ['a space before the colon', rawPost(['Transfer-Encoding : chunked'], END + NEXT)],
    ['an unknown transfer coding', rawPost(['Transfer-Encoding: xchunked'], END + NEXT)],
    ['a transfer coding after chunked', rawPost([CHUNKED, 'Transfer-Encoding: identity'], END + NEXT)],
    ['a chunk size that is not a number', rawPost([CHUNKED], `zz\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk size with a sign', rawPost([CHUNKED], `-1\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk size that overflows', rawPost([CHUNKED], `${'f'.repeat(18)}\r\n${BODY}\r\n${END}${NEXT}`)],
    ['a chunk that is longer than its size', rawPost([CHUNKED], `2\r\n${BODY}\r\n${END}${NEXT}`)],
    ['chunks with LF instead of CRLF', rawPost([CHUNKED], `${HEX}\n${BODY}\n0\n\n${NEXT}`)],
    ['LF in a chunk extension', rawPost([CHUNKED], `${HEX};a\nb\r\n${BODY}\r\n${END}${NEXT}`)],
    ['LF instead of CRLF in its head', `GET /livez HTTP/1.1\nHost: a\n\n${NEXT}`],
    ['NUL in a header', `GET /livez HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n${NEXT}`],
    ['the text of another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
  ])('refuses a request with %s once, and does not read what follows', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 400);
  });

  it('accepts a chunk extension, and reads the request once', async () => {
    const text = rawPost([CHUNKED], `${HEX};name=value\r\n${BODY}\r\n${END}`);
    const { statuses, isClosed } = await sendRaw(port, [text + NEXT], { responses: 2 });
    expect([statuses, isClosed]).toEqual([[200, 200], false]);
  });

  it('refuses a chunk extension that is too long with 413', async () => {
    const flood = rawPost([CHUNKED], `${HEX};a=${'b'.repeat(20_000)}\r\n${BODY}\r\n${END}${NEXT}`);
    expectRefusal(await sendRaw(port, [flood]), 413);
  });

  it('sends no error that could be taken for the response in flight', async () => {
    const release = app.holdUpstream();
    const text = rawPost([`Content-Length: ${PAID.length}`], PAID);
    const between = () => app.seeRequests(1);
    const { statuses, isClosed } = await sendRaw(port, [text, 'NO HTTP\r\n\r\n'], { between });
    expect([statuses, isClosed]).toEqual([[], true]);
    // The page is still being fetched.
    release();
    await app.query('{ trendingVideos { totalCount } }');
    app.claimedElsewhere = 1;
  });
});

describe('a large request', () => {
  beforeEach(() => start({ MAX_BODY_KB: '2', MAX_HEADER_KB: '4' }));

  it.each([
    ['is announced and sent', rawPost(['Content-Length: 2001'], 'x'.repeat(2001) + NEXT)],
    ['is announced but not sent', rawPost(['Content-Length: 2001'], '')],
    ['arrives in chunks', rawPost([CHUNKED], `7d1\r\n${'x'.repeat(2001)}\r\n${END}${NEXT}`)],
  ])('is refused with 413, which names the limit, when a body over it %s', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 413, /at most 2 kB \(MAX_BODY_KB\)/);
  });

  it('is accepted when its body is exactly at the limit', async () => {
    const body = BODY.padEnd(2000);
    const text = rawPost([`Content-Length: ${body.length}`], body);
    const { statuses } = await sendRaw(port, [text], { responses: 1 });
    expect(statuses).toEqual([200]);
  });

  it.each([
    ['one header is', `GET /livez HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(4001)}\r\n\r\n${NEXT}`],
    ['its URL is', `GET /livez?${'a'.repeat(4001)} HTTP/1.1\r\nHost: a\r\n\r\n${NEXT}`],
    [
      'its headers together are',
      `GET /livez HTTP/1.1\r\nHost: a\r\n${'X-Name: value\r\n'.repeat(400)}\r\n${NEXT}`,
    ],
  ])('is refused with 431, which names the limit, when %s over it', async (_name, text) => {
    expectRefusal(await sendRaw(port, [text]), 431, /at most 4 kB \(MAX_HEADER_KB\)/);
  });
});

describe('a compressed request', () => {
  beforeEach(() => start());

  it.each(['gzip', 'br', 'deflate', 'GZIP', 'X-GZIP', 'identity, gzip', 'gzip, identity', ', gzip', 'x'])(
    'is refused with 415, and not decompressed: %s',
    async (encoding) => {
      // A hundred times the limit when decompressed, but within the limit as sent.
      const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
      const head = rawPost([`Content-Encoding: ${encoding}`, `Content-Length: ${bomb.length}`], '');
      expect(bomb.length).toBeLessThan(100_000);
      const { statuses, text } = await sendRaw(port, [head, bomb], { responses: 1 });
      expect(statuses).toEqual([415]);
      expect(text).toMatch(/^accept-encoding: identity$/im);
      expect(text).toMatch(/"message":"[^"]*content-encoding.*"code":"BAD_REQUEST"/);
    },
  );

  it.each(['identity', 'Identity', 'IDENTITY', 'identity, identity', 'identity,', ' ', ''])(
    'is accepted when nothing was compressed: Content-Encoding is %j',
    async (encoding) => {
      const lines = [`Content-Encoding: ${encoding}`, `Content-Length: ${BODY.length}`];
      expect((await sendRaw(port, [rawPost(lines, BODY)], { responses: 1 })).statuses).toEqual([200]);
    },
  );
});

describe('the request timeout', () => {
  /** A beginning, then single bytes without end. */
  function* drip(beginning: string): Generator<string> {
    yield beginning;
    for (;;) yield 'x';
  }

  it.each([
    ['header', 'GET /livez HTTP/1.1\r\nX: '],
    ['body', rawPost(['Content-Length: 9999999'], '')],
  ])(
    'responds with 408 to a request whose %s arrives too slowly, though bytes keep arriving',
    async (_name, text) => {
      await start({ MAX_HEADER_KB: '1000', MAX_BODY_KB: '10000' }, { requestMs: 50 });
      const received = await sendRaw(port, drip(text), { between: () => new Promise(setImmediate) });
      expectRefusal(received, 408, /within 0\.05 s \(REQUEST_TIMEOUT_SECONDS\)/);
    },
  );

  it('responds so that a script of an allowed origin can read why its body took too long', async () => {
    await start({ CORS_ORIGINS: 'https://a.example' }, { requestMs: 50 });
    const send = async (origin: string): Promise<string> => {
      const { statuses, text } = await sendRaw(port, [
        rawPost([`Origin: ${origin}`, 'Content-Length: 50'], '{'),
      ]);
      expect(statuses).toEqual([408]);
      expect(text).toMatch(/^vary: Origin$/im);
      return text;
    };
    expect(await send('https://a.example')).toMatch(/^access-control-allow-origin: https:\/\/a\.example$/im);
    expect(await send('https://b.example')).not.toMatch(/^access-control-allow-origin/im);
  });

  it('disconnects a client that sends nothing at all', async () => {
    await start({}, { requestMs: 50 });
    expect((await sendRaw(port, [])).isClosed).toBe(true);
  });

  it.each([
    ['the key of a slow request is wrong', ['Content-Length: 50'], 401],
    [
      'the body of a slow request is compressed',
      ['Content-Encoding: gzip', 'X-Api-Key: 0123456789', 'Content-Length: 50'],
      415,
    ],
  ])('causes no second response when %s', async (_name, lines, status) => {
    await start({ API_KEYS: '0123456789' }, { requestMs: 250 });
    const { statuses, isClosed } = await sendRaw(port, [rawPost(lines, '{')]);
    expect([statuses, isClosed]).toEqual([[status], true]);
  });

  it('disconnects slow clients within 20 seconds by default', async () => {
    const { limits } = loadConfig({});
    await start({ REQUEST_TIMEOUT_SECONDS: '15' });
    const { connectionsCheckingInterval } = toFastifyLimits(limits).http;
    const { requestTimeout, headersTimeout } = app.server.server;
    expect([requestTimeout, headersTimeout]).toEqual([limits.requestMs, limits.requestMs]);
    expect(limits.requestMs + connectionsCheckingInterval).toBeLessThan(20_000);
    expect(app.server.server).toMatchObject({ connectionsCheckingInterval });
  });

  /** Resolves when a slow sender has been disconnected. */
  const waitForSlowSender = () => sendRaw(port, ['GET /livez HTTP/1.1\r\n']);

  it('allows pauses between the requests on a connection', async () => {
    await start({}, { requestMs: 250 });
    const text = rawPost([`Content-Length: ${BODY.length}`], BODY);
    const options = { responses: 3, between: waitForSlowSender };
    const { statuses, isClosed } = await sendRaw(port, [text, text, text], options);
    expect([statuses, isClosed]).toEqual([[200, 200, 200], false]);
  });

  it('does not limit how long an operation takes', async () => {
    await start({}, { requestMs: 250 });
    const release = app.holdUpstream();
    const text = rawPost([`Content-Length: ${PAID.length}`], PAID);
    const received = sendRaw(port, [text], { responses: 1 });
    await app.seeRequests(1);
    await waitForSlowSender();
    release();
    expect((await received).statuses).toEqual([200]);
    app.claimedElsewhere = 1;
  });
});

it('logs no error and spends nothing when a client disconnects in the middle of a body', async () => {
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
    // The socket emits an error.
    await new Promise((resolve) => socket.once('close', resolve));
  }
  expect((await app.query('{ __typename }')).data).toEqual({ __typename: 'Query' });
  expect(app.bill).toEqual([]);
});

it('logs no error when a client disconnects before its response, and caches the result for the next one', async () => {
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
