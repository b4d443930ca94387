import { createHash } from 'node:crypto';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { SECURITY_HEADERS } from '../../../src/server/http/securityHeaders.ts';
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
  const before = app.reported();
  const response = await app.server.inject({ url: '/graphql', query, headers: { ...PREFLIGHT, ...headers } });
  app.claimedElsewhere += app.reported() - before;
  return response;
}

afterEach(() => app.close());

describe('Cache-Control', () => {
  it('has the remaining time to live of the pages, for POST as for GET', async () => {
    await start({ CACHE_TTL_SECONDS: '600', CACHE_STALE_SECONDS: '3000' });
    const first = await get({ query: QUERY });
    expect(first.headers['cache-control']).toBe(
      'public, max-age=600, stale-while-revalidate=3000, stale-if-error=3000',
    );
    clock.advance(90_500);
    const other = await app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY } });
    expect(other.headers['cache-control']).toBe(
      'public, max-age=509, stale-while-revalidate=3000, stale-if-error=3000',
    );
  });

  it.each(['GET', 'HEAD', 'POST'] as const)(
    'has the time that is left when the response to a %s comes from the cache, without an Age',
    async (method) => {
      await start({ CACHE_TTL_SECONDS: '20', CACHE_STALE_SECONDS: '3000' });
      const send = async () => {
        const before = app.reported();
        const parts = method === 'POST' ? { payload: { query: QUERY } } : { query: { query: QUERY } };
        const { headers } = await app.server.inject({
          url: '/graphql',
          method,
          headers: PREFLIGHT,
          ...parts,
        });
        app.claimedElsewhere += app.reported() - before;
        expect(headers.age).toBeUndefined();
        return headers['cache-control'];
      };
      const sent = [await send()];
      for (const ms of [14_000, 5001, 999]) {
        clock.advance(ms);
        sent.push(await send());
      }
      expect(app.origins()).toEqual(['made', 'kept', 'kept', 'made']);
      expect(sent).toEqual(
        [20, 6, 0, 0].map(
          (seconds) => `public, max-age=${seconds}, stale-while-revalidate=3000, stale-if-error=3000`,
        ),
      );
      await app.seeRequests(2);
    },
  );

  it('allows no cache to send a response after a cover has expired, not even stale', async () => {
    // The emulator's covers expire by the real clock.
    clock = createTestClock(Date.now());
    app = await startEmulatedApp({}, { CACHE_TTL_SECONDS: '3600' }, { clock, random: () => 0 });
    const { data } = (await get({ query: '{ trendingVideos { nodes { coverExpiresAt } } }' })).json();
    const expiries: string[] = data.trendingVideos.nodes.map((node: { coverExpiresAt: string }) =>
      String(node.coverExpiresAt),
    );
    const expiry = Math.min(...expiries.map((text) => Date.parse(text)));
    // Another page of the chart was fetched earlier: both expire with it.
    for (const leftMs of [7_200_000, 1_800_500, 500]) {
      clock.advance(expiry - leftMs - clock.now());
      const { headers } = await get({ query: QUERY });
      const [, fresh, revalidating, failing] =
        /^public, max-age=(\d+), stale-while-revalidate=(\d+), stale-if-error=(\d+)$/.exec(
          `${headers['cache-control']}`,
        ) ?? [];
      for (const stale of [revalidating, failing])
        expect(Number(fresh) + Number(stale)).toBe(Math.floor(leftMs / 1000));
    }
  });

  it('allows caches to serve stale responses for as long as this server does', async () => {
    await start({ CACHE_TTL_SECONDS: '600', CACHE_STALE_SECONDS: '3000' });
    await get({ query: QUERY });
    clock.advance(1_000_000);
    const stale = await get({ query: '{ trendingVideos { stale } }' });
    expect(stale.json()).toMatchObject({ data: { trendingVideos: { stale: true } } });
    expect(stale.headers['cache-control']).toBe(
      'public, max-age=0, stale-while-revalidate=2600, stale-if-error=2600',
    );
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

describe('a response that shared caches may send to others', () => {
  const FREE = { source: 'keyapi', requests: 0, credits: 0 };
  const LIMITED = { RATE_LIMIT_PER_MINUTE: '100' };

  it('says what a copy costs, whoever paid for it; the log has the real cost', async () => {
    await start();
    const release = app.holdUpstream();
    const pending = Promise.all([get({ query: QUERY }), get({ query: QUERY })]);
    await app.seeRequests(1);
    release();
    const bodies = [...(await pending), await get({ query: QUERY })].map(({ body }) => body);
    expect(JSON.parse(`${bodies[0]}`).extensions.upstream).toEqual({
      ...FREE,
      pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
    });
    expect(new Set(bodies).size).toBe(1);
    expect(app.origins()).toEqual(['made', 'shared', 'kept']);
    expect(app.reported()).toBe(1);
    app.claimedElsewhere = 1;
  });

  it.each(['GET', 'HEAD'] as const)('has nothing about the request that caused it: %s', async (method) => {
    await start(LIMITED);
    const send = async (headers: Record<string, string> = {}) => {
      const before = app.reported();
      const response = await app.server.inject({
        url: '/graphql',
        method,
        query: { query: QUERY },
        headers: { ...PREFLIGHT, 'x-request-id': 'mine', ...headers },
      });
      app.claimedElsewhere += app.reported() - before;
      return response;
    };
    const first = await send();
    const unchanged = await send({ 'if-none-match': `${first.headers.etag}` });
    expect([first.statusCode, unchanged.statusCode]).toEqual([200, 304]);
    const names = [
      ...Object.keys(SECURITY_HEADERS),
      'access-control-expose-headers',
      'cache-control',
      'connection',
      'date',
      'etag',
      'vary',
    ];
    expect(Object.keys(unchanged.headers).sort()).toEqual(names.sort());
    expect(Object.keys(first.headers).sort()).toEqual([...names, 'content-length', 'content-type'].sort());
  });

  it.each<[string, Record<string, string>, InjectOptions]>([
    ['a POST', {}, { method: 'POST', payload: { query: QUERY } }],
    ['a private response', { API_KEYS: 'key-of-the-board' }, { query: { query: QUERY } }],
  ])('is not %s: it has its own cost, request id and limits', async (_name, variables, request) => {
    await start({ ...LIMITED, ...variables });
    const response = await app.server.inject({
      url: '/graphql',
      headers: { ...PREFLIGHT, 'x-request-id': 'mine', 'x-api-key': 'key-of-the-board' },
      ...request,
    });
    app.claimedElsewhere = 1;
    expect(response.json().extensions.upstream).toMatchObject({ requests: 1, credits: 2 });
    expect(response.headers).toMatchObject({
      'x-request-id': 'mine',
      'ratelimit-limit': '100',
      'ratelimit-remaining': '99',
      'ratelimit-reset': expect.any(String),
    });
  });

  it.each(['{ __typename }', '{ trendingVideos(region: "ZZ") { stale } }', '{'])(
    'is not one that is no-store: %s',
    async (query) => {
      await start(LIMITED);
      const { headers } = await get({ query });
      expect(headers).toMatchObject({
        'cache-control': 'no-store',
        'x-request-id': expect.any(String),
        'ratelimit-remaining': '99',
      });
    },
  );
});

describe('ETag', () => {
  it('is sent with responses to GET alone: no POST can be conditional', async () => {
    await start();
    const post = { method: 'POST', url: '/graphql', payload: { query: QUERY } } as const;
    for (const origin of ['made', 'kept']) {
      expect((await app.server.inject(post)).headers.etag).toBeUndefined();
      expect(app.origins().at(-1)).toBe(origin);
    }
    app.claimedElsewhere = app.reported();
    expect((await get({ query: QUERY })).headers.etag).toBeDefined();
  });

  it('is weak, and the same for the same data at a different cost', async () => {
    await start({ RESPONSE_CACHE: 'false' });
    const [paid, free] = [await get({ query: QUERY }), await get({ query: QUERY })];
    expect(app.origins()).toEqual(['made', 'made']);
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
    expect(app.origins().slice(-2)).toEqual(['made', 'kept']);
    expect(second.json()).toEqual(first.json());
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
