import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type EmulatedApp, startEmulatedApp, TOKEN } from '../../support/app.ts';
import { settle } from '../../support/cache.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';
import { findFreePort } from '../../support/freePort.ts';
import { parseMetrics, type Scrape, scrape } from '../../support/metrics.ts';

const TOP = 'query Top { trendingVideos { nodes { itemId } } }';
const HOUR = 3_600_000;

let app: EmulatedApp;
let clock: TestClock;

async function start(
  variables: Record<string, string> = {},
  switches: Parameters<typeof startEmulatedApp>[0] = {},
): Promise<void> {
  clock = createTestClock(Date.UTC(2026, 0, 1, 12));
  app = await startEmulatedApp(switches, variables, { clock, random: () => 0 });
}

/** The current values of these series. */
async function read(...series: string[]): Promise<number[]> {
  const { value } = await scrape(app.server);
  return series.map(value);
}

const pages = (origin: string): string => `trending_pages_total{origin="${origin}"}`;
const responses = (origin: string): string => `trending_answers_total{origin="${origin}"}`;
const spent = (purpose: string): string =>
  `trending_credits_spent_total{endpoint="trendingVideos",purpose="${purpose}"}`;
const operations = (name: string, outcome: string): string =>
  `trending_operation_duration_seconds_count{operation="${name}",outcome="${outcome}"}`;
const open = (endpoint: string, code: string): string =>
  `trending_circuit_open{endpoint="${endpoint}",code="${code}"}`;

afterEach(() => app.close());

describe('/metrics', () => {
  it('counts operations by name and outcome, responses by origin, and errors by code', async () => {
    await start();
    await app.query(TOP);
    await app.query(TOP);
    await app.query('{ trendingVideos { totalCount } }');
    await app.query(
      'query Mixed { a: trendingVideos { totalCount } b: trendingVideos(region: "ZZ") { stale } }',
    );
    await app.query('query Wrong { nothing }');
    expect(
      await read(
        operations('Top', 'ok'),
        operations('unnamed', 'ok'),
        operations('Mixed', 'partial'),
        // An invalid operation counts as unnamed.
        operations('unnamed', 'error'),
        responses('kept'),
        'trending_errors_total{code="BAD_USER_INPUT"}',
        'trending_errors_total{code="GRAPHQL_VALIDATION_FAILED"}',
      ),
    ).toEqual([2, 1, 1, 1, 1, 1, 1]);
  });

  it('counts an operation whose fields all failed as an error, and refused requests not as operations', async () => {
    await start({ API_KEYS: 'key-of-the-board' });
    await app.server.inject({ method: 'POST', url: '/graphql', payload: { query: TOP } });
    const headers = { 'x-api-key': 'key-of-the-board', 'content-type': 'application/json' };
    await app.server.inject({ method: 'POST', url: '/graphql', headers, payload: '{' });
    const query = 'query Zz { trendingVideos(region: "ZZ") { stale } }';
    await app.server.inject({ method: 'POST', url: '/graphql', headers, payload: { query } });
    expect(
      await read(
        responses('refused'),
        'trending_errors_total{code="UNAUTHENTICATED"}',
        'trending_errors_total{code="BAD_REQUEST"}',
        operations('Zz', 'error'),
        operations('unnamed', 'error'),
      ),
    ).toEqual([2, 1, 1, 1, 0]);
  });

  it('counts the credits that were spent, and those saved by pages that were cached or coalesced', async () => {
    await start();
    const both = await Promise.all([app.query(TOP), app.query(TOP)]);
    expect(both.map(({ extensions }) => extensions.upstream.credits).sort()).toEqual([0, 2]);
    await app.query(TOP);
    await app.query('{ trendingVideos(first: 40) { nodes { itemId } } }');
    expect(
      await read(pages('fetched'), pages('shared'), pages('cached'), pages('stale'), spent('operation')),
    ).toEqual([2, 1, 2, 0, 4]);
    expect(await read('trending_credits_saved_total')).toEqual([3 * 2]);
  });

  it('counts the credits of refreshes separately', async () => {
    await start();
    await app.query(TOP);
    clock.advance(2 * HOUR);
    await app.query(TOP);
    while (app.bill.length < 2 || (await read(spent('refresh')))[0] === 0) await settle();
    expect(await read(spent('operation'), spent('refresh'), pages('stale'))).toEqual([2, 2, 1]);
  });

  it('counts requests to KeyAPI by status, and reports why calls are stopped', async () => {
    await start({}, { credits: 0 });
    await app.query(TOP);
    expect(
      await read(
        'trending_upstream_requests_total{endpoint="trendingVideos",status="402",outcome="UPSTREAM_QUOTA_EXCEEDED"}',
        'trending_upstream_request_duration_seconds_count{endpoint="trendingVideos"}',
        open('account', 'UPSTREAM_QUOTA_EXCEEDED'),
        open('trendingVideos', 'UPSTREAM_UNAVAILABLE'),
        'trending_circuit_openings_total{endpoint="account",code="UPSTREAM_QUOTA_EXCEEDED"}',
      ),
    ).toEqual([1, 1, 1, 0, 1]);
    clock.advance(60_000);
    expect(await read(open('account', 'UPSTREAM_QUOTA_EXCEEDED'))).toEqual([0]);
  });

  it('reports the credits left of the budget, until the next UTC day', async () => {
    await start({ CREDIT_BUDGET_PER_DAY: '3' });
    expect(await read('trending_budget_credits_left')).toEqual([3]);
    await app.query(TOP);
    await app.query('{ trendingVideos(region: "GB") { totalCount } }');
    expect(await read('trending_budget_credits_left', 'trending_budget_refusals_total')).toEqual([1, 1]);
    clock.advance(12 * HOUR);
    expect(await read('trending_budget_credits_left')).toEqual([3]);
  });

  it('reports the sizes of caches', async () => {
    await start({ CACHE_MAX_MB: '8' });
    const caches = ['pages', 'answers', 'history', 'documents'];
    const sizes = caches.map((cache) => `trending_cache_bytes{cache="${cache}"}`);
    expect((await read(...sizes)).slice(0, 3)).toEqual([0, 0, 0]);
    await app.query(TOP);
    for (const bytes of await read(...sizes)) expect(bytes).toBeGreaterThan(1000);
    expect(await read('trending_cache_max_bytes{cache="pages"}')).toEqual([8 * 2 ** 20]);
    expect(await read('trending_cache_max_bytes{cache="history"}')).toEqual([2 * 2 ** 20]);
  });

  it('has a bounded number of labels, whatever clients send', async () => {
    await start();
    for (let number = 0; number < 1000; number++) await app.query(`query Name${number} { __typename }`);
    await app.query(`query ${'x'.repeat(100)} { __typename }`);
    const { series, value, text } = await scrape(app.server);
    expect(series('trending_operation_duration_seconds_count')).toHaveLength(101);
    expect(value(operations('Name99', 'ok'))).toBe(1);
    expect(value(operations('Name100', 'ok'))).toBe(0);
    expect(value(operations('other', 'ok'))).toBe(901);
    expect(text.length).toBeLessThan(200_000);
  });

  it('always has the names of trusted documents as labels', async () => {
    await start({ PERSISTED_DOCUMENTS: 'schema/persisted-documents.json' });
    for (let number = 0; number < 101; number++) await app.query(`query Name${number} { __typename }`);
    await app.query(await readFile('schema/operations/chartFacts.graphql', 'utf8'), { region: 'US' });
    expect(await read(operations('ChartFacts', 'ok'), operations('other', 'ok'))).toEqual([1, 1]);
  });

  it("contains neither secrets nor KeyAPI's texts", async () => {
    await start({ API_KEYS: 'board:key-of-the-board' }, { credits: 0 });
    const headers = { 'x-api-key': 'key-of-the-board', 'apollographql-client-name': 'key-of-the-board' };
    await app.server.inject({ method: 'POST', url: '/graphql', headers, payload: { query: TOP } });
    app.claimedElsewhere = 1;
    const { text } = await scrape(app.server);
    expect(text).not.toMatch(new RegExp(`${TOKEN}|key-of|board|insufficient`, 'i'));
  });
});

describe('the metrics endpoint', () => {
  const PRODUCTION = { NODE_ENV: 'production' };

  it('does not exist in production without METRICS_PORT', async () => {
    await start(PRODUCTION);
    expect((await app.server.inject('/metrics')).statusCode).toBe(404);
  });

  it.each([PRODUCTION, {}])('is served on METRICS_PORT only, with %j', async (variables) => {
    const port = await findFreePort();
    await start({ ...variables, METRICS_PORT: String(port) });
    expect((await app.server.inject('/metrics')).statusCode).toBe(404);
    const response = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(parseMetrics(await response.text()).value('process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect((await fetch(`http://127.0.0.1:${port}/graphql`)).status).toBe(404);
  });

  it('is closed together with the server', async () => {
    const port = await findFreePort();
    await start({ METRICS_PORT: String(port) });
    await app.server.ready();
    await app.server.close();
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow('fetch failed');
  });
});

describe('docs/operations.md', () => {
  /** The names and types of the metrics in its table. */
  async function readTable(): Promise<string[]> {
    const text = await readFile('docs/operations.md', 'utf8');
    return [...text.matchAll(/^\| `(\w+)` +\| (counter|gauge|histogram|summary) +\|/gm)]
      .map(([, name, type]) => `${name} ${type}`)
      .sort();
  }

  const toNames = ({ types }: Scrape): string[] => [...types].map(([name, type]) => `${name} ${type}`).sort();

  it('lists every metric with its type, and no other', async () => {
    await start({ CREDIT_BUDGET_PER_DAY: '10', REDIS_URL: 'redis://127.0.0.1:1' });
    const found = await scrape(app.server);
    expect(await readTable()).toEqual(toNames(found));
    expect(found.value('trending_redis_up')).toBe(0);
  });

  it('lists the labels of each metric', async () => {
    await start({ CREDIT_BUDGET_PER_DAY: '10' });
    await app.query(TOP);
    await app.query('{ nothing }');
    const { types, text } = await scrape(app.server);
    const rows = (await readFile('docs/operations.md', 'utf8')).split('\n');
    for (const name of types.keys()) {
      const row = rows.find((line) => line.startsWith(`| \`${name}\``)) ?? '';
      const series = text.split('\n').filter((line) => new RegExp(`^${name}(_sum)?[{ ]`).test(line));
      const labels = new Set(
        series.flatMap((line) => [...line.matchAll(/(\w+)="/g)].map(([, label]) => label)),
      );
      const listed = [...(row.split('|')[3] ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label);
      expect([name, listed.sort()]).toEqual([name, [...labels].sort()]);
    }
  });
});
