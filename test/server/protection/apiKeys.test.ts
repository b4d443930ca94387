import { afterEach, describe, expect, it } from '@jest/globals';
import { createKeyFinder } from '../../../src/server/protection/apiKeys.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { rawPost, sendRaw } from '../../support/rawHttp.ts';

const KEYS = ['key-of-the-board', 'key-of-the-app!'];
const QUERY = '{ trendingVideos { totalCount } }';

let app: EmulatedApp;

const post = (headers: Record<string, string>) =>
  app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY }, headers });

describe('the name of a request', () => {
  const findKeyName = createKeyFinder([
    { key: 'key-of-the-board', name: 'board' },
    { key: 'key-of-the-app!', name: 'app' },
  ]);
  const [board = '', other = ''] = KEYS;

  it('is that of its first valid key: that of Authorization, then those of x-api-key', () => {
    const names = [
      { authorization: `Bearer ${board}`, 'x-api-key': other },
      { authorization: `Bearer ${other}`, 'x-api-key': board },
      { authorization: 'Bearer none', 'x-api-key': `none, ${other}, ${board}` },
      { 'x-api-key': [board, other] },
      {},
    ].map((headers) => findKeyName({ headers }));
    expect(names).toEqual(['board', 'app', 'app', 'board', undefined]);
  });
});

describe('with API_KEYS', () => {
  afterEach(() => app.close());

  it.each([
    ['no key', {}],
    ['an unknown key', { 'x-api-key': 'key-of-the-boards' }],
    ['the name of a key', { 'x-api-key': 'board' }],
    ['a key after its name', { 'x-api-key': 'board:key-of-the-board' }],
    ['a key in another scheme', { authorization: `Basic ${KEYS[0]}` }],
    ['no key in the scheme', { authorization: 'Bearer ' }],
    ['two unknown keys', { authorization: 'Bearer token-of-a-gateway', 'x-api-key': 'key-of-the-boards' }],
    ['only empty values', { authorization: 'Bearer', 'x-api-key': ' , ,' }],
    ['parts of a key', { 'x-api-key': 'key-of-the-, board' }],
    ['a key behind more values than are read', { 'x-api-key': `a,b,c,d,${KEYS[0]}` }],
  ])('refuses a request with %s, even when the response is cached', async (_name, headers) => {
    app = await startEmulatedApp({}, { API_KEYS: `board:${KEYS[0]},${KEYS[1]}` });
    app.claimedElsewhere = (await post({ 'x-api-key': `${KEYS[0]}` })).json().extensions.upstream.requests;
    const response = await post(headers as Record<string, string>);
    expect(response.statusCode).toBe(401);
    expect(response.headers).toMatchObject({ 'www-authenticate': 'Bearer', 'cache-control': 'no-store' });
    expect(response.json()).toMatchObject({
      errors: [{ extensions: { code: 'UNAUTHENTICATED', retryable: false } }],
      extensions: { upstream: { requests: 0 } },
    });
    expect(app.bill).toHaveLength(1);
  });

  it.each(
    KEYS.flatMap((key) => [
      { 'x-api-key': key },
      { authorization: `Bearer ${key}` },
      { authorization: `bearer  ${key}` },
      { authorization: 'Bearer token-of-a-gateway', 'x-api-key': key },
      { authorization: `Bearer ${key}`, 'x-api-key': 'key-of-another-server' },
      { authorization: 'Basic dXNlcjpwYXNzd29yZA==', 'x-api-key': key },
      { authorization: 'Digest username="a", realm="b"', 'x-api-key': key },
      { authorization: 'Bearer ', 'x-api-key': key },
      { 'x-api-key': `key-of-another-server, ${key}` },
      { 'x-api-key': `${key},key-of-another-server` },
      { 'x-api-key': ` ,a,b,${key}` },
    ]),
  )('accepts a request with %p', async (headers) => {
    app = await startEmulatedApp({}, { API_KEYS: `board:${KEYS[0]}, ${KEYS[1]}` });
    const response = await post(headers as Record<string, string>);
    expect(response.json()).toMatchObject({ data: { trendingVideos: { totalCount: 500 } } });
    app.claimedElsewhere = 1;
  });

  it('reads each of several x-api-key headers', async () => {
    app = await startEmulatedApp({}, { API_KEYS: `${KEYS[0]}` });
    const address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
    const body = '{"query":"{ __typename }"}';
    const lines = ['X-Api-Key: other', `X-Api-Key: ${KEYS[0]}`, `Content-Length: ${body.length}`];
    const { statuses } = await sendRaw(Number(address.port), [rawPost(lines, body)], { responses: 1 });
    expect(statuses).toEqual([200]);
  });

  it('requires no key for /livez', async () => {
    app = await startEmulatedApp({}, { API_KEYS: 'key-of-the-board' });
    expect((await app.server.inject('/livez')).statusCode).toBe(200);
  });
});
