import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { request } from 'undici';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { createTestClock } from '../../support/clock.ts';
import { rawPost, sendRaw } from '../../support/rawHttp.ts';
import { until } from '../../support/until.ts';

const KEY = '0123456789';
const ORIGIN = 'https://a.example';
const JSON_TYPE = { 'content-type': 'application/json' };
const QUERY = '{ trendingVideos { nodes { itemId title } } }';
const GET = `?query=${encodeURIComponent(QUERY)}`;
const BODY = JSON.stringify({ query: QUERY });

/** A request to `/graphql`. */
interface Sent {
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly search?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

let app: EmulatedApp;
let origin: string;
/** The paths of requests that came through Fastify's router. */
let routed: string[];

async function start(variables: Record<string, string> = {}): Promise<void> {
  app = await startEmulatedApp({}, variables, { clock: createTestClock() });
  routed = [];
  app.server.addHook('onRequest', ({ url }, _reply, done) => {
    routed.push(url.replace(/\?.*/, ''));
    done();
  });
  origin = await app.server.listen({ host: '127.0.0.1', port: 0 });
}

/** Sends a request; what it costs counts as claimed. */
async function send(path: string, { method = 'POST', search = '', headers = {}, body }: Sent) {
  const before = app.reported();
  const response = await request(`${origin}${path}${search}`, {
    method,
    headers: { 'x-request-id': 'one', ...(method === 'POST' && JSON_TYPE), ...headers },
    ...(body !== undefined && { body }),
  });
  const text = Buffer.from(await response.body.arrayBuffer()).toString('latin1');
  // Each page for browsers has its own.
  const bytes = text.replace(/\b[\da-f]{64}\b/g, 'nonce');
  app.claimedElsewhere += app.reported() - before;
  const { date: _, ...others } = response.headers;
  return { status: response.statusCode, headers: others, bytes };
}

afterEach(() => app.close());

it('handles requests to /graphql before the framework, and no others', async () => {
  await start();
  const paths = ['/graphql', '/graphql/', '/livez', '/%67raphql'];
  for (const path of paths) await send(path, { method: 'GET', search: GET, headers: { origin: ORIGIN } });
  await send('/graphql', { body: BODY });
  expect(routed).toEqual(paths.slice(1));
});

describe('a request that comes through the router', () => {
  const HEADERS = { 'x-api-key': KEY, origin: ORIGIN };

  it.each<[string, Sent]>([
    ['an operation', { body: BODY }],
    ['an operation by GET', { method: 'GET', search: GET, headers: { 'apollo-require-preflight': '1' } }],
    ['an operation by HEAD', { method: 'HEAD', search: GET, headers: { 'apollo-require-preflight': '1' } }],
    ['a compressed response', { body: BODY, headers: { 'accept-encoding': 'br' } }],
    [
      'what the client has already',
      { method: 'GET', search: GET, headers: { 'apollo-require-preflight': '1', 'if-none-match': '*' } },
    ],
    ['a page for browsers', { method: 'GET', headers: { accept: 'text/html' } }],
    ['an invalid operation', { body: '{"query":"{ x }"}' }],
    ['a body that is not JSON', { body: '{' }],
    [
      'a hash that is not known',
      {
        method: 'GET',
        search: `?extensions={"persistedQuery":{"version":1,"sha256Hash":"${'a'.repeat(64)}"}}`,
        headers: { 'apollo-require-preflight': '1' },
      },
    ],
    ['no body', {}],
    ['an empty body', { headers: { 'content-length': '0' } }],
    ['a body of another type', { body: BODY, headers: { 'content-type': 'text/plain' } }],
    ['a body that is too large', { body: `"${'x'.repeat(2000)}"` }],
    ['a compressed body', { body: BODY, headers: { 'content-encoding': 'gzip' } }],
    ['a wrong key', { body: BODY, headers: { 'x-api-key': 'wrong' } }],
    ['a media type that is not sent', { body: BODY, headers: { accept: 'image/png' } }],
    ['a WebSocket handshake', { method: 'GET', headers: { 'sec-websocket-key': 'x' } }],
  ])('gets the same response: %s', async (_name, sent) => {
    await start({ API_KEYS: KEY, CORS_ORIGINS: ORIGIN, MAX_BODY_KB: '1' });
    const withKey = { ...sent, headers: { ...HEADERS, ...sent.headers } };
    // The first ones pay, and are executed.
    for (const path of ['/graphql', '/graphql/']) await send(path, withKey);
    const direct = await send('/graphql', withKey);
    expect(await send('/graphql/', withKey)).toEqual(direct);
    // No header is sent twice.
    for (const value of Object.values(direct.headers)) expect(typeof value).toBe('string');
    expect(routed).toEqual(['/graphql/', '/graphql/']);
  });

  it('counts for the same rate limit', async () => {
    await start({ RATE_LIMIT_PER_MINUTE: '3' });
    const statuses = [];
    for (const path of ['/graphql', '/graphql/', '/graphql', '/graphql/', '/graphql'])
      statuses.push((await send(path, { body: '{"query":"{ __typename }"}' })).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
  });
});

describe('a body', () => {
  beforeEach(() => start());

  const portOf = (): number => Number(new URL(origin).port);

  it('may arrive in pieces, and leaves the next request alone', async () => {
    const text = rawPost([`Content-Length: ${BODY.length}`], BODY);
    const between = async (): Promise<void> => void (await send('/livez', { method: 'GET' }));
    const at = text.length - 5;
    const next = 'GET /livez HTTP/1.1\r\nHost: a\r\n\r\n';
    const { statuses } = await sendRaw(portOf(), [text.slice(0, at), text.slice(at) + next], {
      between,
      responses: 2,
    });
    expect(statuses).toEqual([200, 200]);
    app.claimedElsewhere = app.reported();
  });

  it('that is broken off executes nothing, and is counted as refused', async () => {
    const socket = connect(portOf(), '127.0.0.1');
    socket.write(rawPost([`Content-Length: ${BODY.length}`], BODY.slice(0, 5)));
    await once(app.server.server, 'request');
    socket.destroy();
    await until(() => app.origins().length > 0);
    expect([app.origins(), app.bill]).toEqual([['refused'], []]);
  });
});
