import { once } from 'node:events';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';
import { until } from '../../support/until.ts';

const HOUR = 3_600_000;
const QUERY = '{ trendingVideos { nodes { itemId } stale fetchedAt } }';
const FREE = { requests: 0, credits: 0 };

let app: EmulatedApp;
let clock: TestClock;
let events: AppEvent[];

async function start(
  variables: Record<string, string> = {},
  switches: Parameters<typeof startEmulatedApp>[0] = {},
  now = Date.UTC(2026, 0, 1, 12),
): Promise<void> {
  clock = createTestClock(now);
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startEmulatedApp(switches, variables, { clock, random: () => 0, onEvent });
}

function upstreamCalls(): number {
  return events.filter(({ type }) => type === 'upstreamCall').length;
}

/** Waits until there were `count` upstream calls and their pages are cached. */
async function seeUpstreamCalls(count: number): Promise<void> {
  await until(() => upstreamCalls() >= count);
  await settle();
}

/** Sends a request to `/graphql`; what it costs counts as claimed. */
async function send(request: InjectOptions) {
  const before = app.reported();
  const response = await app.server.inject({ method: 'POST', url: '/graphql', ...request });
  app.claimedElsewhere += app.reported() - before;
  return response;
}

afterEach(() => app.close());

describe('a cached response', () => {
  it('is sent again unchanged, at no cost, and counted', async () => {
    await start();
    const first = await app.query(QUERY);
    const second = await app.query(QUERY);
    expect(second.data).toEqual(first.data);
    expect(second.extensions.upstream).toEqual({
      source: 'keyapi',
      ...FREE,
      pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
    });
    expect(app.origins()).toEqual(['made', 'kept']);
    expect(events.flatMap((event) => (event.type === 'response' ? [event.cost.pages] : []))).toEqual([
      { cached: 0, stale: 0, shared: 0, fetched: 1 },
      { cached: 1, stale: 0, shared: 0, fetched: 0 },
    ]);
  });

  it.each<[string, InjectOptions, InjectOptions]>([
    ['another document', { payload: { query: QUERY } }, { payload: { query: `${QUERY} ` } }],
    [
      'other variables',
      {
        payload: {
          query: 'query ($n: Int) { trendingVideos(first: $n) { nodes { id } } }',
          variables: { n: 1 },
        },
      },
      {
        payload: {
          query: 'query ($n: Int) { trendingVideos(first: $n) { nodes { id } } }',
          variables: { n: 2 },
        },
      },
    ],
    [
      'another operation',
      {
        payload: {
          query: 'query A { trendingVideos { stale } } query B { trendingVideos { totalCount } }',
          operationName: 'A',
        },
      },
      {
        payload: {
          query: 'query A { trendingVideos { stale } } query B { trendingVideos { totalCount } }',
          operationName: 'B',
        },
      },
    ],
    [
      'another accepted media type',
      { payload: { query: QUERY }, headers: { accept: 'application/json' } },
      { payload: { query: QUERY }, headers: { accept: 'application/graphql-response+json' } },
    ],
    [
      'another method',
      { payload: { query: QUERY } },
      { method: 'GET', query: { query: QUERY }, headers: { 'apollo-require-preflight': '1' } },
    ],
  ])('is not sent for %s', async (_name, one, other) => {
    await start();
    const responses = [await send(one), await send(other), await send(one), await send(other)];
    expect(app.origins()).toEqual(['made', 'made', 'kept', 'kept']);
    for (const index of [0, 1]) {
      expect(responses[index + 2]?.json().data).toEqual(responses[index]?.json().data);
      expect(responses[index + 2]?.headers['content-type']).toBe(responses[index]?.headers['content-type']);
    }
  });

  it('is not sent for another body with the same checksum, nor is one shared with it that is being made', async () => {
    const toPayload = (alias: string) => ({ query: `{ ${alias}: trendingVideos { nodes { itemId } } }` });
    const one = toPayload('v52d27f60224d');
    const other = toPayload('v351c9b1cb39d');
    expect(crc32(JSON.stringify(one))).toBe(crc32(JSON.stringify(other)));
    await start();
    const requests = [one, other].map((payload) =>
      app.server.inject({ method: 'POST', url: '/graphql', payload }),
    );
    const together = await Promise.all(requests);
    app.claimedElsewhere += app.reported();
    const later = [
      await send({ payload: one }),
      await send({ payload: other }),
      await send({ payload: other }),
    ];
    const names = [...together, ...later].flatMap((response) => Object.keys(response.json().data));
    const [first, second] = ['v52d27f60224d', 'v351c9b1cb39d'];
    expect(names).toEqual([first, second, first, second, second]);
    expect(app.origins().at(-1)).toBe('kept');
  });

  it('is not sent for a request that could be forged', async () => {
    await start();
    const query = { query: QUERY };
    const headers = { 'apollo-require-preflight': '1' };
    expect((await send({ method: 'GET', query, headers })).statusCode).toBe(200);
    expect((await send({ method: 'GET', query })).statusCode).toBe(400);
    for (const type of ['text/plain', 'undefined', '']) {
      const typed = { ...headers, 'content-type': type };
      expect((await send({ method: 'GET', query, headers: typed })).statusCode).toBe(415);
    }
    expect((await send({ method: 'GET', query, headers })).statusCode).toBe(200);
    expect(app.origins()).toEqual(['made', 'made', 'made', 'made', 'made', 'kept']);
  });

  it.each([
    ['has errors', '{ trendingVideos(region: "ZZ") { totalCount } }'],
    [
      'has errors beside data',
      '{ us: trendingVideos { totalCount } zz: trendingVideos(region: "ZZ") { totalCount } }',
    ],
    ['uses no page, whose time to live it could have', '{ __typename trendingVideos { __typename } }'],
    ['belongs to a document that does not parse', '{'],
  ])('is never one that %s', async (_name, query) => {
    await start();
    await app.query(query);
    await app.query(query);
    expect(app.origins()).toEqual(['made', 'made']);
  });

  it('expires with the first of its pages', async () => {
    await start();
    await app.query('{ trendingVideos(region: "GB") { nodes { itemId } } }');
    clock.advance(HOUR / 2);
    const query = '{ us: trendingVideos { stale } gb: trendingVideos(region: "GB") { stale } }';
    await app.query(query);
    clock.advance(HOUR / 2 - 1);
    expect(await app.query(query)).toMatchObject({ data: { us: { stale: false }, gb: { stale: false } } });
    expect(app.origins()).toEqual(['made', 'made', 'kept']);
    clock.advance(1);
    expect(await app.query(query)).toMatchObject({ data: { us: { stale: false }, gb: { stale: true } } });
    await seeUpstreamCalls(3);
  });

  it('expires with the first of its covers', async () => {
    // The emulator's covers expire by the real clock.
    await start({ CACHE_TTL_SECONDS: '604800' }, {}, Date.now());
    const query = '{ trendingVideos { nodes { coverExpiresAt } } }';
    interface Covers {
      trendingVideos: { nodes: { coverExpiresAt: string }[] };
    }
    const { data } = await app.query<Covers>(query);
    const expiries = data?.trendingVideos.nodes.map(({ coverExpiresAt }) => Date.parse(coverExpiresAt));
    const expiry = Math.min(...(expiries ?? []));
    clock.advance(expiry - clock.now() - 1);
    await app.query(query);
    expect(app.origins()).toEqual(['made', 'kept']);
    clock.advance(1);
    await app.query(query);
    expect(app.origins()).toEqual(['made', 'kept', 'made']);
    await seeUpstreamCalls(2);
  });

  it('is evicted when memory is full, the least recently used one first, for one that is requested again', async () => {
    // 512 kB for responses.
    await start({ CACHE_MAX_MB: '1' });
    const query = (size: number): string => `{ trendingVideos(first: ${size}) { nodes { id title cover } } }`;
    for (const size of range(1, 100)) await app.query(query(size));
    // Five of them fetched a page. No others replaced one that was there before.
    for (const size of [26, 99, 99, 1, 26]) await app.query(query(size));
    expect(app.origins().slice(-5)).toEqual(['kept', 'made', 'kept', 'made', 'kept']);
  });

  it('does not exist without RESPONSE_CACHE', async () => {
    await start({ RESPONSE_CACHE: 'false' });
    await app.query(QUERY);
    expect((await app.query(QUERY)).extensions.upstream).toMatchObject({ ...FREE, pages: { cached: 1 } });
    expect(app.origins()).toEqual(['made', 'made']);
  });

  it('keeps its pages in the page cache while it is requested', async () => {
    // Room for about 50 pages.
    await start({ CACHE_MAX_MB: '1', KEYAPI_QPS: '1000', MAX_CREDITS_PER_OPERATION: '100' });
    const wanted = '{ trendingVideos { nodes { id } } }';
    await app.query(wanted);
    for (const region of ['GB', 'DE', 'FR', 'ES', 'IT', 'JP', 'BR', 'MX', 'IN', 'NL', 'SE', 'NO']) {
      await app.query(wanted);
      clock.advance(1000);
      await app.query(`{ trendingVideos(region: "${region}", first: 100) { nodes { id } } }`);
    }
    const { extensions } = await app.query('{ trendingVideos(first: 2) { nodes { id } } }');
    expect(extensions.upstream.requests).toBe(0);
  });
});

describe('a stale response', () => {
  it('is sent at once, reports that it is stale, and causes one refresh for any number of requests', async () => {
    await start();
    await app.query(QUERY);
    clock.advance(HOUR);
    const release = app.holdUpstream();
    const results = await Promise.all(range(1, 50).map(() => app.query(QUERY)));
    release();
    expect(upstreamCalls()).toBe(1);
    for (const result of results) {
      expect(result).toMatchObject({ data: { trendingVideos: { stale: true } } });
      expect(result.extensions.upstream).toMatchObject({ ...FREE, pages: { stale: 1 } });
    }
    await seeUpstreamCalls(2);
    expect(await app.query(QUERY)).toMatchObject({ data: { trendingVideos: { stale: false } } });
    expect(app.bill).toHaveLength(2);
  });

  it('is cached while upstream fails, for one second at a time', async () => {
    await start({ ERROR_TTL_SECONDS: '1' });
    await app.query(QUERY);
    clock.advance(HOUR);
    app.emulator.switches.credits = 0;
    await app.query(QUERY);
    await seeUpstreamCalls(2);
    for (const _ of range(1, 20)) {
      clock.advance(10);
      expect(await app.query(QUERY)).toMatchObject({ data: { trendingVideos: { stale: true } } });
    }
    expect(app.origins()).toEqual(['made', 'made', ...range(1, 20).map(() => 'kept')]);
    expect(upstreamCalls()).toBe(2);
    clock.advance(1000);
    await app.query(QUERY);
    expect(app.origins().at(-1)).toBe('made');
  });
});

describe('identical requests in flight', () => {
  /** Sends `count` requests, all of which arrive before the first response. */
  async function atOnce<T>(count: number, send: () => Promise<T>): Promise<T[]> {
    const release = app.holdUpstream();
    const responses = Promise.all(range(1, count).map(send));
    await app.seeRequests(1);
    await settle();
    release();
    return responses;
  }

  it('are executed once: the first one pays, the others are coalesced with it', async () => {
    await start();
    const results = await atOnce(20, () => app.query(QUERY));
    expect(app.origins().sort()).toEqual(['made', ...range(1, 19).map(() => 'shared')]);
    const costs = results.map(({ extensions }) => extensions.upstream);
    expect(costs.filter(({ requests }) => requests === 1)).toHaveLength(1);
    const free = costs.filter(({ requests }) => requests === 0);
    expect(free).toHaveLength(19);
    for (const { pages } of free) expect(pages).toEqual({ cached: 0, stale: 0, shared: 1, fetched: 0 });
    expect(new Set(results.map(({ data }) => JSON.stringify(data))).size).toBe(1);
  });

  it('get one response that is compressed once', async () => {
    await start();
    const headers = { 'accept-encoding': 'br' };
    const send = () =>
      app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY }, headers });
    const [, ...shared] = await atOnce(20, send);
    expect(new Set(shared.map(({ rawPayload }) => rawPayload.toString('base64'))).size).toBe(1);
    app.claimedElsewhere = 1;
  });

  it('are executed separately when the first one fails, so that none fails by the deadline of another', async () => {
    await start({ KEYAPI_TIMEOUT_MS: '60' });
    const release = app.holdUpstream();
    const pending = Promise.all(range(1, 5).map(() => app.query(QUERY)));
    let isDone = false;
    void pending.then(() => {
      isDone = true;
    });
    await until(() => {
      clock.expireDeadlines(60);
      return isDone;
    });
    const results = await pending;
    release();
    expect(results.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
      range(1, 5).map(() => 'UPSTREAM_TIMEOUT'),
    );
    expect(app.origins()).toEqual(range(1, 5).map(() => 'made'));
    app.claimedElsewhere =
      app.bill.length - results.reduce((sum, { extensions }) => sum + extensions.upstream.requests, 0);
  });

  it('get their responses when the client of the first one disconnects', async () => {
    await start();
    const release = app.holdUpstream();
    const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const post = (signal?: AbortSignal) =>
      fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: QUERY }),
        ...(signal && { signal }),
      });
    const leaving = new AbortController();
    const connected = once(app.server.server, 'connection');
    const first = post(leaving.signal).catch(() => 'gone');
    const [connection] = await connected;
    await app.seeRequests(1);
    const second = post();
    await once(app.server.server, 'request');
    leaving.abort();
    expect(await first).toBe('gone');
    if (!connection.closed) await once(connection, 'close');
    release();
    expect(await (await second).json()).toMatchObject({
      extensions: { upstream: { ...FREE, pages: { shared: 1 } } },
    });
    app.claimedElsewhere = 1;
  });
});
