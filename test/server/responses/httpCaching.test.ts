import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';

const QUERY = '{ trendingVideos { nodes { itemId title cover } } }';
const PREFLIGHT = { 'apollo-require-preflight': '1' };

let app: EmulatedApp;
let clock: TestClock;

async function start(variables: Record<string, string> = {}): Promise<void> {
  clock = createTestClock();
  app = await startEmulatedApp({}, variables, { clock, random: () => 0 });
}

/** Sends a query by GET, whose response browsers and CDNs can cache. */
async function get(query: Record<string, string>, headers: Record<string, string> = {}) {
  const response = await app.server.inject({ url: '/graphql', query, headers: { ...PREFLIGHT, ...headers } });
  if (/json/.test(`${response.headers['content-type']}`) && !response.headers['content-encoding']) {
    app.claimedElsewhere += response.json().extensions.upstream.requests;
  }
  return response;
}

afterEach(() => app.close());

describe('Cache-Control', () => {
  it('has the remaining time to live of the pages, for POST as for GET', async () => {
    await start({ CACHE_TTL_SECONDS: '600', CACHE_STALE_SECONDS: '3000' });
    const first = await get({ query: QUERY });
    expect(first.headers['cache-control']).toBe('public, max-age=600, stale-while-revalidate=3000');
    clock.advance(90_500);
    const other = await app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY } });
    expect(other.headers['cache-control']).toBe('public, max-age=509, stale-while-revalidate=3000');
    expect(other.headers.age).toBeUndefined();
  });

  it('is unchanged when the response comes from the cache; Age has the time since then', async () => {
    await start({ CACHE_TTL_SECONDS: '600', CACHE_STALE_SECONDS: '3000' });
    const first = await get({ query: QUERY });
    clock.advance(90_500);
    const again = await get({ query: QUERY });
    expect(again.headers).toMatchObject({ 'cache-control': first.headers['cache-control'], age: '90' });
    expect(first.headers.age).toBeUndefined();
  });

  it('allows caches to serve stale responses for as long as this server does', async () => {
    await start({ CACHE_TTL_SECONDS: '600', CACHE_STALE_SECONDS: '3000' });
    await get({ query: QUERY });
    clock.advance(1_000_000);
    const stale = await get({ query: '{ trendingVideos { stale } }' });
    expect(stale.json()).toMatchObject({ data: { trendingVideos: { stale: true } } });
    expect(stale.headers['cache-control']).toBe('public, max-age=0, stale-while-revalidate=2600');
    // The background refresh, which belongs to no operation.
    await app.seeRequests(2);
  });

  it('is private where API keys are required', async () => {
    await start({ API_KEYS: 'key-of-the-board' });
    const { headers } = await get({ query: QUERY }, { 'x-api-key': 'key-of-the-board' });
    expect(headers['cache-control']).toMatch(/^private, max-age=3600,/);
  });

  it.each([
    ['errors', '{ trendingVideos(region: "ZZ") { stale } }', 200],
    ['errors beside data', '{ a: trendingVideos { stale } trendingVideos(region: "ZZ") { stale } }', 200],
    ['a document that does not parse', '{', 400],
    ['a document that is not valid', '{ nothing }', 400],
    ['a result without pages', '{ __typename }', 200],
  ])('is no-store for %s', async (_name, query, status) => {
    await start();
    const { statusCode, headers } = await get({ query });
    expect([statusCode, headers['cache-control'], headers.etag]).toEqual([status, 'no-store', undefined]);
  });

  it('is no-store for requests that are not executed, and for the page of Apollo Sandbox', async () => {
    await start();
    const odd = [
      { method: 'POST', payload: '{', headers: { 'content-type': 'application/json' } },
      { method: 'POST', payload: 'x', headers: { 'content-type': 'text/plain' } },
      { method: 'GET', headers: { accept: 'text/html' } },
      { method: 'GET', query: { query: QUERY } },
    ] as const;
    for (const request of odd) {
      const { headers } = await app.server.inject({ url: '/graphql', ...request });
      expect(headers['cache-control']).toBe('no-store');
    }
  });
});

describe('ETag', () => {
  it('is weak, and the same for the same data at a different cost', async () => {
    await start({ RESPONSE_CACHE: 'false' });
    const [paid, free] = [await get({ query: QUERY }), await get({ query: QUERY })];
    expect([paid.json().extensions.upstream.requests, free.json().extensions.upstream.requests]).toEqual([
      1, 0,
    ]);
    expect(paid.headers.etag).toMatch(/^W\/"[\w-]{43}"$/);
    expect(free.headers.etag).toBe(paid.headers.etag);
    const other = await get({ query: '{ trendingVideos(first: 2) { nodes { itemId title cover } } }' });
    expect(other.headers.etag).not.toBe(paid.headers.etag);
  });

  it.each(['true', 'false'])(
    'avoids sending what the client already has, with RESPONSE_CACHE=%s',
    async (RESPONSE_CACHE) => {
      await start({ RESPONSE_CACHE });
      const { headers } = await get({ query: QUERY });
      const etag = `${headers.etag}`;
      for (const tags of [etag, etag.slice(2), `"other", ${etag}`, '*']) {
        const again = await get({ query: QUERY }, { 'if-none-match': tags, 'accept-encoding': 'br' });
        expect([again.statusCode, again.body]).toEqual([304, '']);
        expect(again.headers).toMatchObject({
          etag,
          'cache-control': headers['cache-control'],
          vary: expect.stringMatching(/Accept, Accept-Encoding/),
        });
        expect(again.headers['content-type']).toBeUndefined();
        expect(again.headers['content-encoding']).toBeUndefined();
      }
      for (const tags of ['"other"', 'W/"', '']) {
        expect((await get({ query: QUERY }, { 'if-none-match': tags })).statusCode).toBe(200);
      }
    },
  );

  it('is compared for GET and HEAD only: the response to a POST is always sent', async () => {
    await start();
    const { headers } = await get({ query: QUERY });
    const response = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      payload: { query: QUERY },
      headers: { 'if-none-match': `${headers.etag}` },
    });
    expect(response.statusCode).toBe(200);
    const head = await app.server.inject({
      method: 'HEAD',
      url: '/graphql',
      query: { query: QUERY },
      headers: PREFLIGHT,
    });
    expect([head.statusCode, head.body, head.headers.etag]).toEqual([200, '', headers.etag]);
    const unchanged = await app.server.inject({
      method: 'HEAD',
      url: '/graphql',
      query: { query: QUERY },
      headers: { ...PREFLIGHT, 'if-none-match': `${headers.etag}` },
    });
    expect([unchanged.statusCode, unchanged.headers['content-length']]).toEqual([304, undefined]);
  });
});

describe('Vary', () => {
  it('names the headers that a response depends on, beside those that CORS adds', async () => {
    await start();
    const { headers } = await get({ query: QUERY }, { origin: 'http://localhost:3000' });
    expect(`${headers.vary}`.split(', ').sort()).toEqual(['Accept', 'Accept-Encoding', 'Origin']);
    expect(headers['access-control-allow-origin']).toBe('http://localhost:3000');
  });
});

describe('automatic persisted queries', () => {
  const sha256Hash = createHash('sha256').update(QUERY).digest('hex');
  const extensions = { persistedQuery: { version: 1, sha256Hash } };

  it('can be cached by a CDN over GET, once the query is registered', async () => {
    await start();
    const unknown = await get({ extensions: JSON.stringify(extensions) });
    expect(unknown.json()).toMatchObject({ errors: [{ extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } }] });
    expect(unknown.headers['cache-control']).toBe('no-store');
    const registered = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      payload: { query: QUERY, extensions },
    });
    app.claimedElsewhere += registered.json().extensions.upstream.requests;
    const [first, second] = [
      await get({ extensions: JSON.stringify(extensions) }),
      await get({ extensions: JSON.stringify(extensions) }),
    ];
    expect(first.json().data).toEqual(registered.json().data);
    expect(first.headers['cache-control']).toMatch(/^public, max-age=3600/);
    expect(second.headers.age).toBe('0');
  });
});

describe('compression', () => {
  const unpack = { br: brotliDecompressSync, gzip: gunzipSync };

  it.each([
    ['gzip, deflate, br, zstd', 'br'],
    ['br;q=0.1, gzip', 'gzip'],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['X-GZIP', 'gzip'],
    ['x-gzip;q=0.5', 'gzip'],
    ['Br', 'br'],
    ['BR;Q=0.1, X-Gzip;Q=0.5', 'gzip'],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['BR;q=0, *', 'gzip'],
  ] as const)('for %s is %s, also of a cached response', async (acceptEncoding, encoding) => {
    await start();
    const plain = await get({ query: QUERY });
    for (let time = 0; time < 3; time++) {
      const { headers, rawPayload } = await get({ query: QUERY }, { 'accept-encoding': acceptEncoding });
      expect(headers).toMatchObject({ 'content-encoding': encoding, etag: plain.headers.etag });
      expect(Number(headers['content-length'])).toBe(rawPayload.length);
      expect(rawPayload.length).toBeLessThan(plain.rawPayload.length / 2);
      expect(JSON.parse(unpack[encoding](rawPayload).toString()).data).toEqual(plain.json().data);
    }
  });

  it.each([
    ['no header', {}],
    ['identity', { 'accept-encoding': 'identity' }],
    ['identity before others', { 'accept-encoding': 'identity, gzip;q=0.5' }],
    ['unknown codings', { 'accept-encoding': 'zstd, deflate' }],
    ['all but br and gzip', { 'accept-encoding': 'br;q=0, gzip;q=0' }],
    ['all but BR and X-GZIP', { 'accept-encoding': 'BR;Q=0, X-GZIP;Q=0, *' }],
    ['IDENTITY before others', { 'accept-encoding': 'IDENTITY, GZIP;q=0.5' }],
    ['any coding but br and gzip', { 'accept-encoding': 'br;q=0, gzip;q=0, *' }],
  ])('is none for %s', async (_name, headers) => {
    await start();
    const response = await get({ query: QUERY }, headers as Record<string, string>);
    expect(response.headers['content-encoding']).toBeUndefined();
    expect(response.json().data.trendingVideos.nodes).toHaveLength(20);
  });

  it('is none for responses that fit into one packet, and is applied to large errors', async () => {
    await start();
    const small = await get({ query: '{ __typename }' }, { 'accept-encoding': 'br' });
    expect(small.headers['content-encoding']).toBeUndefined();
    const fields = Array.from({ length: 4 }, (_, index) => `f${index}${'x'.repeat(500)}`).join(' ');
    const large = await get({ query: `{ ${fields} }` }, { 'accept-encoding': 'gzip' });
    expect([large.statusCode, large.headers['content-encoding']]).toEqual([400, 'gzip']);
    expect(JSON.parse(gunzipSync(large.rawPayload).toString()).errors).toHaveLength(4);
  });
});
