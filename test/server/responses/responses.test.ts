import { once } from 'node:events';
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

/** How answers came about so far. */
function origins(): string[] {
  return events.flatMap((event) => (event.type === 'response' ? [event.origin] : []));
}

function upstreamCalls(): number {
  return events.filter(({ type }) => type === 'upstreamCall').length;
}

/** Waits for so many calls, and until what they brought is in the cache. */
async function seeUpstreamCalls(count: number): Promise<void> {
  await until(() => upstreamCalls() >= count);
  await settle();
}

/** Sends a request to `/graphql`; what it costs counts as claimed. */
async function send(request: InjectOptions) {
  const response = await app.server.inject({ method: 'POST', url: '/graphql', ...request });
  app.claimedElsewhere += response.json().extensions.upstream.requests;
  return response;
}

afterEach(() => app.close());

describe('an answer that is kept', () => {
  it('is given again as it was, for free, and counted', async () => {
    await start();
    const first = await app.query(QUERY);
    const second = await app.query(QUERY);
    expect(second.data).toEqual(first.data);
    expect(second.extensions.upstream).toEqual({
      source: 'keyapi',
      ...FREE,
      pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
    });
    expect(origins()).toEqual(['made', 'kept']);
    expect(events.filter((event) => event.type === 'pageRead').map(({ origin }) => origin)).toEqual([
      'fetched',
      'cached',
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
      'another form that is accepted',
      { payload: { query: QUERY }, headers: { accept: 'application/json' } },
      { payload: { query: QUERY }, headers: { accept: 'application/graphql-response+json' } },
    ],
    [
      'another method',
      { payload: { query: QUERY } },
      { method: 'GET', query: { query: QUERY }, headers: { 'apollo-require-preflight': '1' } },
    ],
  ])('is not for %s', async (_name, one, other) => {
    await start();
    const answers = [await send(one), await send(other), await send(one), await send(other)];
    expect(origins()).toEqual(['made', 'made', 'kept', 'kept']);
    for (const index of [0, 1]) {
      expect(answers[index + 2]?.json().data).toEqual(answers[index]?.json().data);
      expect(answers[index + 2]?.headers['content-type']).toBe(answers[index]?.headers['content-type']);
    }
  });

  it('is not for a request that may be forged', async () => {
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
    expect(origins()).toEqual(['made', 'made', 'made', 'made', 'made', 'kept']);
  });

  it.each([
    ['has errors', '{ trendingVideos(region: "ZZ") { totalCount } }'],
    [
      'has errors beside data',
      '{ us: trendingVideos { totalCount } zz: trendingVideos(region: "ZZ") { totalCount } }',
    ],
    ['is of no page, whose life it could share', '{ __typename trendingVideos { __typename } }'],
    ['is to no operation', '{'],
  ])('is none that %s', async (_name, query) => {
    await start();
    await app.query(query);
    await app.query(query);
    expect(origins()).toEqual(['made', 'made']);
  });

  it('lasts as long as the first of its pages', async () => {
    await start();
    await app.query('{ trendingVideos(region: "GB") { nodes { itemId } } }');
    clock.advance(HOUR / 2);
    const query = '{ us: trendingVideos { stale } gb: trendingVideos(region: "GB") { stale } }';
    await app.query(query);
    clock.advance(HOUR / 2 - 1);
    expect(await app.query(query)).toMatchObject({ data: { us: { stale: false }, gb: { stale: false } } });
    expect(origins()).toEqual(['made', 'made', 'kept']);
    clock.advance(1);
    expect(await app.query(query)).toMatchObject({ data: { us: { stale: false }, gb: { stale: true } } });
    await seeUpstreamCalls(3);
  });

  it('ends with the first cover', async () => {
    // The emulator's covers live by the real time.
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
    expect(origins()).toEqual(['made', 'kept']);
    clock.advance(1);
    await app.query(query);
    expect(origins()).toEqual(['made', 'kept', 'made']);
    await seeUpstreamCalls(2);
  });

  it('takes no more memory than there is for it, the least recently used going first', async () => {
    // 512 kB for answers.
    await start({ CACHE_MAX_MB: '1' });
    const query = (size: number): string => `{ trendingVideos(first: ${size}) { nodes { id title cover } } }`;
    for (const size of range(1, 100)) await app.query(query(size));
    await app.query(query(100));
    await app.query(query(1));
    expect(origins().slice(-2)).toEqual(['kept', 'made']);
  });

  it('is not there without RESPONSE_CACHE', async () => {
    await start({ RESPONSE_CACHE: 'false' });
    await app.query(QUERY);
    expect((await app.query(QUERY)).extensions.upstream).toMatchObject({ ...FREE, pages: { cached: 1 } });
    expect(origins()).toEqual(['made', 'made']);
  });

  it('keeps its pages in memory by being asked for', async () => {
    // Room for about 50 pages.
    await start({ CACHE_MAX_MB: '1', KEYAPI_QPS: '1000', MAX_CREDITS_PER_OPERATION: '100' });
    const wanted = '{ trendingVideos { nodes { id } } }';
    await app.query(wanted);
    for (const region of ['GB', 'DE', 'FR', 'ES', 'IT', 'JP', 'BR', 'MX', 'IN', 'NL', 'SE', 'NO']) {
      await app.query(wanted);
      await app.query(`{ trendingVideos(region: "${region}", first: 100) { nodes { id } } }`);
    }
    const { extensions } = await app.query('{ trendingVideos(first: 2) { nodes { id } } }');
    expect(extensions.upstream.requests).toBe(0);
  });
});

describe('an answer past its freshness', () => {
  it('is served at once, says so, and is refreshed once, however many ask for it', async () => {
    await start();
    await app.query(QUERY);
    clock.advance(HOUR);
    const release = app.holdUpstream();
    const answers = await Promise.all(range(1, 50).map(() => app.query(QUERY)));
    release();
    expect(upstreamCalls()).toBe(1);
    for (const answer of answers) {
      expect(answer).toMatchObject({ data: { trendingVideos: { stale: true } } });
      expect(answer.extensions.upstream).toMatchObject({ ...FREE, pages: { stale: 1 } });
    }
    await seeUpstreamCalls(2);
    expect(await app.query(QUERY)).toMatchObject({ data: { trendingVideos: { stale: false } } });
    expect(app.bill).toHaveLength(2);
  });

  it('is given again while upstream fails, and asked for anew each second', async () => {
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
    expect(origins()).toEqual(['made', 'made', ...range(1, 20).map(() => 'kept')]);
    expect(upstreamCalls()).toBe(2);
    clock.advance(1000);
    await app.query(QUERY);
    expect(origins().at(-1)).toBe('made');
  });
});

describe('the same operation at the same time', () => {
  /** Sends so many requests, none of which is answered before all have come. */
  async function atOnce<T>(count: number, send: () => Promise<T>): Promise<T[]> {
    const release = app.holdUpstream();
    const answers = Promise.all(range(1, count).map(send));
    await app.seeRequests(1);
    await settle();
    release();
    return answers;
  }

  it('is executed once; one pays, the others share', async () => {
    await start();
    const answers = await atOnce(20, () => app.query(QUERY));
    expect(origins().sort()).toEqual(['made', ...range(1, 19).map(() => 'shared')]);
    const costs = answers.map(({ extensions }) => extensions.upstream);
    expect(costs.filter(({ requests }) => requests === 1)).toHaveLength(1);
    const free = costs.filter(({ requests }) => requests === 0);
    expect(free).toHaveLength(19);
    for (const { pages } of free) expect(pages).toEqual({ cached: 0, stale: 0, shared: 1, fetched: 0 });
    expect(new Set(answers.map(({ data }) => JSON.stringify(data))).size).toBe(1);
  });

  it('is compressed once for all who share it', async () => {
    await start();
    const headers = { 'accept-encoding': 'br' };
    const send = () =>
      app.server.inject({ method: 'POST', url: '/graphql', payload: { query: QUERY }, headers });
    const [, ...shared] = await atOnce(20, send);
    expect(new Set(shared.map(({ rawPayload }) => rawPayload.toString('base64'))).size).toBe(1);
    app.claimedElsewhere = 1;
  });

  it('is carried out for each when it fails, so that none fails of the time of another', async () => {
    await start({ KEYAPI_TIMEOUT_MS: '60' });
    const release = app.holdUpstream();
    const answering = Promise.all(range(1, 5).map(() => app.query(QUERY)));
    let isAnswered = false;
    void answering.then(() => {
      isAnswered = true;
    });
    await until(() => {
      clock.expireDeadlines(60);
      return isAnswered;
    });
    const answers = await answering;
    release();
    expect(answers.map(({ errors }) => errors?.[0]?.extensions.code)).toEqual(
      range(1, 5).map(() => 'UPSTREAM_TIMEOUT'),
    );
    expect(origins()).toEqual(range(1, 5).map(() => 'made'));
    app.claimedElsewhere =
      app.bill.length - answers.reduce((sum, { extensions }) => sum + extensions.upstream.requests, 0);
  });

  it('answers the others when the one who asked first is gone', async () => {
    await start();
    const release = app.holdUpstream();
    const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
    const ask = (signal?: AbortSignal) =>
      fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: QUERY }),
        ...(signal && { signal }),
      });
    const leaving = new AbortController();
    const connected = once(app.server.server, 'connection');
    const first = ask(leaving.signal).catch(() => 'gone');
    const [connection] = await connected;
    await app.seeRequests(1);
    const second = ask();
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
