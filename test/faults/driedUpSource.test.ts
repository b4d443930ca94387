import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { type GraphqlResult, startApp, type TestApp } from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { scrape } from '../support/metrics.ts';
import { makeRow, makeSuccess, reply, startUpstream, type Upstream } from '../support/upstream.ts';

interface Connection {
  readonly edges: { readonly rank: number; readonly cursor: string }[];
  readonly totalCount: number;
  readonly stale: boolean;
  readonly fetchedAt: string;
  readonly pageInfo: { readonly hasNextPage: boolean };
}
interface Data {
  readonly trendingVideos: Connection | null;
}

/** A page as upstream sends it: how many rows, and the length that its chart claims. */
interface SentPage {
  readonly rows: number;
  readonly totalCount: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const QUERY = `query ($region: CountryCode!, $first: Int, $after: String, $last: Int) {
  trendingVideos(region: $region, first: $first, after: $after, last: $last) {
    edges { rank cursor } totalCount stale fetchedAt pageInfo { hasNextPage }
  }
}`;

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;
let events: AppEvent[];
/** What upstream sends for a page. */
let send: (number: number, region: string) => SentPage;

/** A chart of this length. */
function chart(length: number): typeof send {
  return (number) => ({ rows: Math.max(0, Math.min(20, length - (number - 1) * 20)), totalCount: length });
}

/** No videos, whatever is asked for. */
const driedUp = (): SentPage => ({ rows: 0, totalCount: 0 });

async function start(sending: typeof send, variables: Record<string, string> = {}): Promise<void> {
  send = sending;
  events = [];
  clock = createTestClock();
  upstream = await startUpstream((request, response) => {
    const query = new URL(request.url ?? '', 'http://localhost').searchParams;
    const page = Number(query.get('page'));
    const { rows, totalCount } = send(page, query.get('region') ?? '');
    const videos = range(1, rows).map((row) => makeRow(String((page - 1) * 20 + row), { cover: null }));
    const pagination = { has_more: page * 20 < totalCount, limit: 20, page, total_count: totalCount };
    reply(makeSuccess(videos, pagination))(request, response);
  });
  await startAgain(variables);
}

/** Starts another process with the same clock and upstream. */
async function startAgain(variables: Record<string, string> = {}): Promise<void> {
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startApp(upstream.url, variables, { clock, random: () => 0, onEvent });
}

afterEach(async () => {
  await app.close();
  await upstream.close();
});

async function ask(variables: Record<string, unknown> = {}): Promise<GraphqlResult<Data>> {
  const result = await app.query<Data>(QUERY, { region: 'US', first: 20, ...variables });
  await finishCalls();
  return result;
}

/** Waits until no call is in flight, refreshes included. Each has a deadline from its start to its end. */
async function finishCalls(): Promise<void> {
  await settle();
  // Not the one of the history file, which no call waits for.
  while (clock.deadlines().some((ms) => ms !== MINUTE)) await settle();
  await settle();
}

async function read(variables: Record<string, unknown> = {}) {
  const { data, errors } = await ask(variables);
  expect(errors).toBeUndefined();
  if (!data?.trendingVideos) throw new Error('expected a connection');
  const { edges, ...facts } = data.trendingVideos;
  return { ...facts, ranks: edges.map(({ rank }) => rank), cursor: edges.at(-1)?.cursor ?? null };
}

/** Reads the chart page by page, as far as `until`; returns the last cursor. */
async function walk(until: number): Promise<string | null> {
  let after: string | null = null;
  for (let rank = 0; rank < until; rank += 20) after = (await read({ after })).cursor;
  return after;
}

/** The minutes at which upstream is called in a day in which the chart is read every minute. */
async function callsOfDay(variables: Record<string, unknown> = {}): Promise<number[]> {
  const minutes: number[] = [];
  for (let minute = 0; minute < 24 * 60; minute++) {
    const before = upstream.requests.length;
    await read(variables);
    if (upstream.requests.length > before) minutes.push(minute);
    clock.advance(MINUTE);
  }
  return minutes;
}

/** When a page is requested again that stays empty: after a minute, twice as long each time, up to an hour. */
const DAY_OF_EMPTY_PAGES = [0, 1, 3, 7, 15, 31, ...range(0, 22).map((hour) => 63 + 60 * hour)];

describe('a source that dries up', () => {
  it('leaves the chart as it was, with its age, and costs 58 credits a day for each page in demand', async () => {
    await start(chart(500));
    const { fetchedAt } = await read();
    send = driedUp;
    clock.advance(HOUR);
    expect(await callsOfDay()).toEqual(DAY_OF_EMPTY_PAGES);
    expect(DAY_OF_EMPTY_PAGES).toHaveLength(29);
    // The last minute of CACHE_STALE_SECONDS.
    clock.advance(-MINUTE);
    expect(await read()).toMatchObject({ ranks: range(1, 20), totalCount: 500, stale: true, fetchedAt });
  });

  it('leaves a chart of which a page with rows says that it has no videos at all', async () => {
    await start(chart(500));
    const { fetchedAt } = await read();
    send = () => ({ rows: 20, totalCount: 0 });
    clock.advance(HOUR);
    await read();
    expect(await read()).toMatchObject({ totalCount: 500, stale: true, fetchedAt });
    expect(events.filter(({ type }) => type === 'emptyPage')).toHaveLength(1);
  });

  it('is reported by an event and a metric', async () => {
    await start(chart(500));
    await read();
    send = driedUp;
    clock.advance(HOUR);
    await read();
    const key = { chart: 'US:7:VIEWS', page: 1 };
    expect(events).toContainEqual({ type: 'emptyPage', endpoint: 'trendingVideos', key });
    expect((await scrape(app.server)).value('trending_empty_pages_total')).toBe(1);
  });

  it('does not end the chart at a page that is not cached', async () => {
    await start(chart(500));
    const after = await walk(20);
    send = driedUp;
    const { data, errors, extensions } = await ask({ after });
    expect(data).toEqual({ trendingVideos: null });
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: true } }]);
    expect(extensions.upstream).toMatchObject({ requests: 1, credits: 2 });
    expect(await read()).toMatchObject({ totalCount: 500, pageInfo: { hasNextPage: true } });
    expect((await ask({ after })).extensions.upstream).toMatchObject({ requests: 0 });
    clock.advance(MINUTE);
    send = chart(500);
    expect((await read({ after })).ranks).toEqual(range(21, 40));
  });

  it('leaves a page that is cached, while the chart still claims to reach it', async () => {
    await start(chart(500));
    const after = await walk(40);
    await read({ after });
    send = (number) => ({ rows: number === 3 ? 0 : 20, totalCount: 500 });
    clock.advance(HOUR);
    for (const minute of range(0, 9)) {
      const { ranks, totalCount, stale } = await read({ after });
      expect({ minute, ranks, totalCount, stale }).toMatchObject({
        ranks: range(41, 60),
        totalCount: 500,
        stale: true,
      });
      clock.advance(MINUTE);
    }
    expect(await read()).toMatchObject({ totalCount: 500 });
  });

  it('ends the chart for a minute at a page that was never cached, and then twice as long', async () => {
    await start(chart(500));
    const after = await walk(40);
    send = (number) => ({ rows: number === 3 ? 0 : 20, totalCount: 500 });
    const bought = async (): Promise<number> => (await ask({ after })).extensions.upstream.requests;
    expect(await read({ after })).toMatchObject({ ranks: [], totalCount: 40, stale: false });
    clock.advance(MINUTE - 1);
    expect(await bought()).toBe(0);
    clock.advance(1);
    // What the page said has expired: the other pages count again.
    expect(await read()).toMatchObject({ totalCount: 500, pageInfo: { hasNextPage: true }, stale: false });
    expect(await bought()).toBe(1);
    clock.advance(2 * MINUTE - 1);
    expect(await bought()).toBe(0);
    send = chart(500);
    clock.advance(1);
    expect(await read({ after })).toMatchObject({ ranks: range(41, 60), totalCount: 500, stale: false });
  });

  it('lets no cached response outlive what an empty page says about the length of the chart', async () => {
    await start(chart(500));
    const after = await walk(40);
    send = (number) => ({ rows: number === 3 ? 0 : 20, totalCount: 500 });
    await read({ after });
    const query = '{ trendingVideos(first: 20) { nodes { itemId } totalCount pageInfo { hasNextPage } } }';
    const get = () =>
      app.server.inject({ url: '/graphql', query: { query }, headers: { 'apollo-require-preflight': '1' } });
    const short = await get();
    expect(short.json().data.trendingVideos.totalCount).toBe(40);
    expect(short.headers['cache-control']).toBe(
      'public, max-age=60, stale-while-revalidate=0, stale-if-error=0',
    );
    clock.advance(MINUTE);
    const long = await get();
    expect(long.json().data.trendingVideos.totalCount).toBe(500);
    expect(long.headers['cache-control']).toBe(
      'public, max-age=3540, stale-while-revalidate=86400, stale-if-error=86400',
    );
  });

  it('leaves no hole in a window whose first page came empty before the others came with rows', async () => {
    await start((number) => (number === 1 ? driedUp() : chart(500)(number, '')));
    for (const requests of [2, 1, 0]) {
      const { data, errors, extensions } = await ask({ first: 40 });
      expect(data).toEqual({ trendingVideos: null });
      expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_BAD_RESPONSE' } }]);
      expect(extensions.upstream.requests).toBe(requests);
    }
    send = chart(500);
    clock.advance(MINUTE);
    expect(await read({ first: 40 })).toMatchObject({ ranks: range(1, 40), totalCount: 500 });
  });

  it('leaves the pages of the chart in one generation', async () => {
    await start(chart(500));
    const after = await walk(40);
    send = (number) => ({ rows: number === 3 ? 0 : 20, totalCount: 500 });
    await read({ after });
    clock.advance(10 * MINUTE);
    send = chart(500);
    expect(await read({ first: 100 })).toMatchObject({ ranks: range(1, 100), stale: false });
    // Pages 1 and 2 are not bought again.
    expect(upstream.requests).toHaveLength(6);
    clock.advance(50 * MINUTE);
    expect(await read({ first: 100 })).toMatchObject({ stale: true });
  });

  it('leaves a chart that was read before a restart', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dried-up-'));
    const variables = { CACHE_FILE: path.join(folder, 'pages') };
    await start(chart(500), variables);
    const { fetchedAt } = await read();
    await app.close();
    send = driedUp;
    clock.advance(HOUR);
    await startAgain(variables);
    for (const _minute of range(1, 5)) {
      expect(await read()).toMatchObject({ ranks: range(1, 20), totalCount: 500, stale: true, fetchedAt });
      clock.advance(MINUTE);
    }
    await rm(folder, { recursive: true });
  });

  it('does not stop the calls for other charts', async () => {
    await start((number, region) => (region === 'US' ? chart(500)(number, region) : driedUp()));
    const others = ['DE', 'FR', 'GB', 'IT', 'ES', 'SE'];
    for (const region of others) await read({ region });
    expect((await read()).ranks).toEqual(range(1, 20));

    clock.advance(HOUR);
    send = driedUp;
    for (const region of others) await read({ region });
    await read();
    send = chart(500);
    expect((await read({ region: 'CA' })).ranks).toEqual(range(1, 20));
  });
});

describe('an empty page that is no failure', () => {
  it('is the end of a chart whose pages all claim that it has no videos', async () => {
    await start((number) => ({ rows: number < 3 ? 20 : 0, totalCount: 0 }));
    expect(await read({ first: 40 })).toMatchObject({ ranks: range(1, 40), totalCount: 40, stale: false });
  });

  it('is an empty connection for a region without a chart, and costs as little as a source that dries up', async () => {
    await start(driedUp);
    expect(await read({ region: 'AQ' })).toMatchObject({ ranks: [], totalCount: 0, stale: false });
    const query = '{ trendingVideos(region: "AQ") { totalCount } }';
    const headers = { 'apollo-require-preflight': '1' };
    const response = await app.server.inject({ url: '/graphql', query: { query }, headers });
    expect(response.headers['cache-control']).toBe(
      'public, max-age=60, stale-while-revalidate=0, stale-if-error=0',
    );
    expect(await callsOfDay({ region: 'AQ' })).toEqual(DAY_OF_EMPTY_PAGES.slice(1));
    send = chart(500);
    clock.advance(HOUR);
    await read({ region: 'AQ' });
    expect(await read({ region: 'AQ' })).toMatchObject({
      ranks: range(1, 20),
      totalCount: 500,
      stale: false,
    });
  });

  it.each(['0', '60'])(
    'is requested as seldom when stale pages are served for %s seconds',
    async (seconds) => {
      await start(driedUp, { CACHE_STALE_SECONDS: seconds });
      expect(await callsOfDay({ region: 'AQ' })).toEqual(DAY_OF_EMPTY_PAGES);
    },
  );

  it('is requested again at longer intervals after a restart, too', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dried-up-'));
    const variables = { CACHE_FILE: path.join(folder, 'pages') };
    await start(driedUp, variables);
    for (const minutes of [1, 2]) {
      await read();
      await app.close();
      clock.advance(minutes * MINUTE);
      await startAgain(variables);
    }
    await read();
    clock.advance(4 * MINUTE - 1);
    await read();
    expect(upstream.requests).toHaveLength(3);
    clock.advance(1);
    await read();
    expect(upstream.requests).toHaveLength(4);
    await rm(folder, { recursive: true });
  });

  it('is the end of a chart that shrinks from 500 to 480', async () => {
    await start(chart(500));
    await read({ first: 100 });
    const tail = { first: null, last: 20 };
    expect(await read(tail)).toMatchObject({ ranks: range(481, 500) });
    clock.advance(HOUR);
    send = chart(480);
    // The last page comes empty, then the one before it is read.
    for (const _turn of range(1, 3)) await read(tail);
    expect(await read(tail)).toMatchObject({ ranks: range(461, 480), totalCount: 480, stale: false });
    expect(events.some(({ type }) => type === 'emptyPage')).toBe(false);
  });

  it('is cached for the time to live when it lies beyond the end of its chart', async () => {
    await start(chart(60));
    const after = await walk(60);
    const request = { after };
    expect(await read(request)).toMatchObject({ ranks: [], totalCount: 60 });
    await app.close();
    // A process that knows nothing of the chart.
    await startAgain();
    const before = upstream.requests.length;
    for (const _minute of range(1, 50)) {
      expect(await read(request)).toMatchObject({ ranks: [], totalCount: 60, stale: false });
      clock.advance(MINUTE);
    }
    expect(upstream.requests.length - before).toBe(1);
  });
});
