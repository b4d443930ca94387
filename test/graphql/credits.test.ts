import { afterEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { serveChart } from '../faults/faults.ts';
import {
  describeEachExecution,
  type EmulatedApp,
  type GraphqlResult,
  startApp,
  startEmulatedApp,
} from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { until } from '../support/until.ts';
import { makeRow, makeSuccess, reply, startUpstream } from '../support/upstream.ts';

interface Data {
  readonly trendingVideos: {
    readonly nodes: { readonly itemId: string }[];
    readonly stale: boolean;
    readonly fetchedAt: string;
  } | null;
}

const QUERY = '{ trendingVideos { nodes { itemId } stale fetchedAt } }';
const HOUR = 3_600_000;
const REGIONS = 'US GB DE FR ES IT NL SE NO DK FI PL PT IE AT CH BE CZ HU RO'.split(' ');

let app: EmulatedApp;
let clock: TestClock;
let events: AppEvent[];

async function start(
  variables: Record<string, string> = {},
  switches: Parameters<typeof startEmulatedApp>[0] = {},
  options: Parameters<typeof startEmulatedApp>[2] = {},
): Promise<void> {
  clock = createTestClock(Date.UTC(2026, 0, 1, 12));
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startEmulatedApp(switches, variables, { clock, random: () => 0, onEvent, ...options });
}

const ask = (query = QUERY): Promise<GraphqlResult<Data>> => app.query<Data>(query);

function seen<T extends AppEvent['type']>(type: T): Extract<AppEvent, { type: T }>[] {
  return events.filter((event): event is Extract<AppEvent, { type: T }> => event.type === type);
}

/** Waits until `count` background refreshes have ended and their pages are cached. */
async function seeRefreshes(count: number): Promise<void> {
  await until(() => seen('upstreamCall').filter(({ background }) => background).length >= count);
  await settle();
}

function sum(results: readonly GraphqlResult<Data>[]): { requests: number; credits: number } {
  const costs = results.map(({ extensions }) => extensions.upstream);
  return {
    requests: costs.reduce((total, { requests }) => total + requests, 0),
    credits: costs.reduce((total, { credits }) => total + credits, 0),
  };
}

describeEachExecution(() => {
  afterEach(() => app.close());

  describe('500 concurrent operations for one page', () => {
    it('cost 1 request (2 credits) when nothing is cached', async () => {
      await start();
      const results = await Promise.all(range(1, 500).map(() => ask()));
      expect(results.every(({ data }) => data?.trendingVideos?.nodes.length === 20)).toBe(true);
      expect(sum(results)).toEqual({ requests: 1, credits: 2 });
      expect(app.emulator.counts).toMatchObject({ requests: 1, credits: 2 });
    });

    it('cost 1 request (2 credits) in the background when the page has expired, and get the stale page', async () => {
      await start();
      await ask();
      clock.advance(HOUR);
      const results = await Promise.all(range(1, 500).map(() => ask()));
      await seeRefreshes(1);
      expect(results.every(({ data }) => data?.trendingVideos?.stale)).toBe(true);
      expect(sum(results)).toEqual({ requests: 0, credits: 0 });
      expect(app.emulator.counts).toMatchObject({ requests: 2, credits: 4 });
      expect((await ask()).data?.trendingVideos?.stale).toBe(false);
    });

    it('cost 1 request (2 credits) when the page has expired and may not be served stale', async () => {
      await start({ CACHE_STALE_SECONDS: '0' });
      await ask();
      clock.advance(HOUR);
      const results = await Promise.all(range(1, 500).map(() => ask()));
      expect(results.every(({ data }) => data?.trendingVideos?.stale === false)).toBe(true);
      expect(sum(results)).toEqual({ requests: 1, credits: 2 });
      expect(app.emulator.counts).toMatchObject({ requests: 2, credits: 4 });
    });

    it('get the error of one failed request', async () => {
      await start({}, { credits: 0 });
      const results = await Promise.all(range(1, 500).map(() => ask()));
      expect(new Set(results.map(({ errors }) => errors?.[0]?.extensions.code))).toEqual(
        new Set(['UPSTREAM_QUOTA_EXCEEDED']),
      );
      expect(app.emulator.counts.requests).toBe(1);
    });
  });

  describe('CREDIT_BUDGET_PER_DAY', () => {
    const chart = (region: string, period: string) =>
      `{ trendingVideos(region: "${region}", period: ${period}) { nodes { itemId } stale fetchedAt } }`;

    it('is not exceeded by 200 concurrent operations for distinct pages, and cached pages are still served', async () => {
      await start({ CREDIT_BUDGET_PER_DAY: '10', KEYAPI_CONCURRENCY: '100', KEYAPI_QPS: '1000' });
      const queries = REGIONS.flatMap((region) =>
        ['LAST_7_DAYS', 'LAST_30_DAYS', 'LAST_120_DAYS'].flatMap((period) =>
          ['VIEWS', 'LIKES', 'COMMENTS', 'REPOSTS'].map(
            (orderBy) =>
              `{ trendingVideos(region: "${region}", period: ${period}, orderBy: ${orderBy}) { nodes { itemId } stale fetchedAt } }`,
          ),
        ),
      ).slice(0, 200);
      expect(new Set(queries).size).toBe(200);
      const results = await Promise.all(queries.map((query) => ask(query)));
      expect(app.emulator.counts).toMatchObject({ requests: 5, credits: 10 });
      expect(results.filter(({ errors }) => !errors)).toHaveLength(5);
      const errors = results.flatMap((result) => result.errors ?? []);
      expect(errors).toHaveLength(195);
      expect(errors[0]?.extensions).toEqual({
        code: 'CREDIT_BUDGET_EXHAUSTED',
        retryable: true,
        retryAfterSeconds: 12 * 3600,
      });
      expect(seen('budgetRefused')).toHaveLength(195);

      clock.advance(2 * HOUR);
      const cachedQueries = queries.filter((_, index) => !results[index]?.errors);
      const stale = await Promise.all(cachedQueries.map((query) => ask(query)));
      expect(stale.map(({ data }) => data?.trendingVideos?.stale)).toEqual(Array(5).fill(true));
      // The refresh of each cached page is refused.
      await until(() => seen('budgetRefused').length === 195 + 5);
      expect(app.emulator.counts.requests).toBe(5);
    });

    it('is available again when the next UTC day begins', async () => {
      await start({ CREDIT_BUDGET_PER_DAY: '2' });
      await ask(chart('US', 'LAST_7_DAYS'));
      const refused = await ask(chart('DE', 'LAST_7_DAYS'));
      expect(refused.errors).toMatchObject([
        {
          message: expect.stringMatching(/\(CREDIT_BUDGET_PER_DAY\)/),
          extensions: { code: 'CREDIT_BUDGET_EXHAUSTED' },
        },
      ]);
      clock.advance(12 * HOUR);
      expect((await ask(chart('DE', 'LAST_7_DAYS'))).errors).toBeUndefined();
    });
  });

  describe('MAX_CREDITS_PER_OPERATION', () => {
    it('refuses an operation that could cost more before anything is spent, and names both amounts', async () => {
      await start({ MAX_CREDITS_PER_OPERATION: '4' });
      const response = await app.server.inject({
        method: 'POST',
        url: '/graphql',
        payload: { query: '{ a: trendingVideos(first: 41) { nodes { itemId } } }' },
      });
      expect(response.statusCode).toBe(400);
      expect(response.json()).toEqual({
        errors: [
          {
            message:
              'Expected an operation that costs at most 4 credits (MAX_CREDITS_PER_OPERATION), but got one that ' +
              'could cost 6 credits: request smaller windows, fewer charts, or no stats',
            extensions: { code: 'OPERATION_TOO_EXPENSIVE', retryable: false },
          },
        ],
        extensions: {
          upstream: {
            source: 'keyapi',
            requests: 0,
            credits: 0,
            pages: { cached: 0, stale: 0, shared: 0, fetched: 0 },
          },
        },
      });
      expect((await ask('{ a: trendingVideos(first: 40) { nodes { itemId } } }')).errors).toBeUndefined();
    });

    it('stops an operation at the limit when upstream sends smaller pages, and caches the pages fetched so far', async () => {
      await start();
      const upstream = await startUpstream((request, response) => {
        const page = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('page'));
        const rows = range(page * 4 - 3, page * 4).map((rank) => makeRow(String(rank)));
        const pagination = { has_more: true, limit: 4, page, total_count: 500 };
        reply(makeSuccess(rows, pagination))(request, response);
      });
      const clamped = await startApp(upstream.url, { MAX_CREDITS_PER_OPERATION: '10', KEYAPI_QPS: '1000' });
      const read = () =>
        clamped.query<Data>('{ trendingVideos(first: 40) { nodes { itemId } stale fetchedAt } }');
      const costs: [unknown, number][] = [];
      for (let time = 0; time < 2; time++) {
        const { errors, extensions } = await read();
        costs.push([errors?.[0]?.extensions.code, extensions.upstream.credits]);
      }
      expect(costs).toEqual([
        ['OPERATION_TOO_EXPENSIVE', 10],
        [undefined, 10],
      ]);
      await clamped.close();
      await upstream.close();
    });

    it('counts cached pages as if they had to be fetched', async () => {
      await start({ MAX_CREDITS_PER_OPERATION: '2' });
      await ask();
      const result = await ask(
        '{ a: trendingVideos { nodes { itemId } } b: trendingVideos { nodes { itemId } } }',
      );
      expect(result.errors).toMatchObject([{ extensions: { code: 'OPERATION_TOO_EXPENSIVE' } }]);
    });
  });

  describe('the limits on calls to upstream', () => {
    it('keep upstream from refusing calls with 429', async () => {
      await start({ KEYAPI_QPS: '10', KEYAPI_CONCURRENCY: '4' }, { qps: 10 });
      const regions = REGIONS.concat('SK SI HR BG GR EE LV LT'.split(' '));
      const results = await Promise.all(
        regions.map((region) =>
          ask(`{ trendingVideos(region: "${region}") { nodes { itemId } stale fetchedAt } }`),
        ),
      );
      expect(results.flatMap(({ errors }) => errors ?? [])).toEqual([]);
      expect(app.emulator.counts.requests).toBe(28);
    });

    it('reject at once calls that would wait longer than an operation may take', async () => {
      await start({ KEYAPI_QPS: '1', KEYAPI_CONCURRENCY: '1', OPERATION_TIMEOUT_MS: '2000' });
      const release = app.holdUpstream();
      const pending = Promise.all(
        REGIONS.map((region) =>
          ask(`{ trendingVideos(region: "${region}") { nodes { itemId } stale fetchedAt } }`),
        ),
      );
      await until(() => seen('callShed').length > 10);
      release();
      const results = await pending;
      const codes = results.map(({ errors }) => errors?.[0]?.extensions.code);
      expect(codes.filter((code) => code === undefined).length).toBeGreaterThan(0);
      expect(codes.filter((code) => code === 'UPSTREAM_UNAVAILABLE').length).toBeGreaterThan(10);
      expect(results.find(({ errors }) => errors)?.errors).toMatchObject([
        { message: 'Too many requests to the data provider are waiting.', extensions: { retryable: true } },
      ]);
      expect(seen('callShed').length).toBeGreaterThan(10);
    });

    it('end an operation at its deadline with a GraphQL error, and cache the page that arrives later', async () => {
      await start({ OPERATION_TIMEOUT_MS: '4000' });
      const release = app.holdUpstream();
      const pending = ask();
      await app.seeRequests(1);
      clock.advance(3999);
      clock.expireDeadlines(3999);
      const late = await pending;
      expect(late.errors).toMatchObject([{ extensions: { code: 'UPSTREAM_TIMEOUT', retryable: true } }]);
      expect(late.extensions.upstream).toMatchObject({ requests: 1, credits: 2 });
      release();
      await until(() => seen('upstreamCall').length === 1);
      await settle();
      expect((await ask()).extensions.upstream).toMatchObject({ requests: 0, pages: { cached: 1 } });
    });
  });

  describe('an outage', () => {
    it('of an hour shows only in the age of the data, and costs one request a minute', async () => {
      await start();
      const before = (await ask()).data?.trendingVideos;
      clock.advance(HOUR);
      const requestsBefore = app.emulator.counts.requests;
      app.emulator.switches.token = 'another';

      for (let minute = 0; minute < 60; minute++) {
        const result = await ask();
        expect(result.errors).toBeUndefined();
        expect(result.data?.trendingVideos).toEqual({ ...before, stale: true });
        expect(result.extensions.upstream).toMatchObject({ requests: 0, pages: { stale: 1 } });
        await seeRefreshes(minute + 1);
        clock.advance(60_000);
      }
      // 401 is probed once a minute.
      expect(app.emulator.counts.requests - requestsBefore).toBe(60);

      app.emulator.switches.token = undefined;
      await ask();
      await seeRefreshes(61);
      const after = (await ask()).data?.trendingVideos;
      expect(after?.stale).toBe(false);
      expect(Date.parse(after?.fetchedAt ?? '')).toBe(clock.now());
    });

    it('costs at most two requests a minute, however many pages are requested', async () => {
      let isDown = false;
      const upstream = await startUpstream((request, response) => {
        if (isDown) response.writeHead(500).end();
        else serveChart()(request, response);
      });
      clock = createTestClock();
      const testApp = await startApp(upstream.url, {}, { clock, random: () => 0 });
      const queries = ['US', 'DE', 'FR'].map(
        (region) => `{ trendingVideos(region: "${region}") { nodes { itemId } stale fetchedAt } }`,
      );
      for (const query of queries) await testApp.query(query);
      clock.advance(HOUR);
      isDown = true;
      const startedAt = clock.monotonic();
      while (clock.monotonic() - startedAt < HOUR) {
        for (const query of queries) {
          expect((await testApp.query<Data>(query)).data?.trendingVideos?.stale).toBe(true);
        }
        await settle();
        clock.advance(20_000);
      }
      const failed = upstream.requests.length - queries.length;
      expect(failed).toBeGreaterThan(30);
      // The first few open the circuit, then there is one probe every 30 s.
      expect(failed).toBeLessThanOrEqual(8 + 120);
      await testApp.close();
      await upstream.close();
      await start();
    });

    it('shows as an error once cached data may no longer be served stale', async () => {
      await start({ CACHE_STALE_SECONDS: '7200' });
      await ask();
      app.emulator.switches.token = 'another';
      clock.advance(3 * HOUR - 1);
      expect((await ask()).data?.trendingVideos?.stale).toBe(true);
      await seeRefreshes(1);
      clock.advance(60_001);
      expect((await ask()).errors).toMatchObject([{ extensions: { code: 'UPSTREAM_UNAUTHENTICATED' } }]);
    });
  });

  describe('a jump of the wall clock', () => {
    it.each([HOUR, -HOUR])('by %i ms neither stops service nor exceeds the budget', async (jump) => {
      await start({ CREDIT_BUDGET_PER_DAY: '4' });
      clock.advance(11.5 * HOUR);
      await ask();
      clock.jump(jump);
      // Freshness is measured on the monotonic clock.
      const fresh = await ask();
      expect(fresh.data?.trendingVideos?.stale).toBe(false);
      expect(fresh.extensions.upstream.requests).toBe(0);
      await ask('{ trendingVideos(region: "DE") { nodes { itemId } stale fetchedAt } }');
      const third = '{ trendingVideos(region: "FR") { nodes { itemId } stale fetchedAt } }';
      expect((await ask(third)).errors).toMatchObject([{ extensions: { code: 'CREDIT_BUDGET_EXHAUSTED' } }]);
      clock.advance(HOUR / 2);
      expect((await ask(third)).errors).toBeUndefined();
    });
  });
});
