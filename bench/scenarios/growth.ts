import { type Chart, TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { CHART, readNextCursor, windowBody, writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { type Effort, loadInTurns, type NamedLoad } from '../measure.ts';
import { withoutResponses } from '../metrics.ts';
import { createClient } from '../post.ts';
import { type Outcome, type Row, ratioGoal, ratioTo } from '../report.ts';
import { type Server, withServers } from '../runServer.ts';
import { ours } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import { chartsOf, checkWindows, makeWindows } from '../windows.ts';
import type { Scenario } from './scenario.ts';

/** Everything fits. The same for all, because the size of a cache may cost something too. */
const VARIABLES = { CACHE_MAX_MB: '1024' };
const REGIONS = 'US GB DE FR IT ES NL BE AT CH SE NO DK FI PL CZ PT GR IE CA MX BR AR JP KR'.split(' ');
const SIZES = [10, 1000, 10_000] as const;
/** Videos in the largest window. */
const MAX_FIRST = 100;

/** Whether cost grows with what is cached. */
export const growth: Scenario = (effort, { folder }) =>
  withUpstream(0, async (upstream) => [
    await measureResponses(upstream, effort, folder),
    await measureCharts(upstream, effort, folder),
  ]);

/** A cached response, with more and more of them cached: the load is the same. */
async function measureResponses(upstream: Upstream, effort: Effort, folder: string): Promise<Outcome> {
  const [least, , most] = SIZES;
  const nameOf = (size: number): string => `${size.toLocaleString('en-US')} cached`;
  const all = `${nameOf(most)}, all requested`;
  const bodies = (await makeWindows(upstream.url, chartsOf(REGIONS))).slice(0, most);
  const few = await writeBodies(folder, 'few', bodies.slice(0, least));
  const many = await writeBodies(folder, 'many', bodies);
  const specs = SIZES.map((size) => ours(folder, VARIABLES, nameOf(size)));
  const rows = await withServers(
    specs,
    upstream,
    () => bodies[0] ?? '',
    async (servers) => {
      for (const [index, server] of servers.entries()) await cacheAll(server, bodies.slice(0, SIZES[index]));
      const loads = servers.map(({ spec, url }) => ({ name: spec.name, url, bodiesFile: few }));
      const largest = servers.at(-1) as Server;
      const measured = [...loads, { name: all, url: largest.url, bodiesFile: many }];
      return toLoadRows(await withoutResponses(largest, 'made', () => loadInTurns(measured, effort)));
    },
  );
  return toOutcome(rows, {
    name: 'growth of responses',
    what: `The same ${least} responses are requested, all of them cached, while more and more others are cached too. In *${all}* the load asks for all of them, so that the memory of the responses does not fit into the caches of the processor.`,
    smallest: nameOf(least),
    largest: nameOf(most),
  });
}

/** A different window in every request, with more and more charts cached: the load is the same. */
async function measureCharts(upstream: Upstream, effort: Effort, folder: string): Promise<Outcome> {
  const charts = REGIONS.flatMap(allChartsOf);
  const nameOf = (count: number): string => (count === 1 ? '1 chart cached' : `${count} charts cached`);
  const bodies = await makeWindows(upstream.url, [CHART]);
  const bodiesFile = await writeBodies(folder, 'oneChart', bodies);
  // All windows of one chart would fit into the response cache.
  const variables = { ...VARIABLES, RESPONSE_CACHE: 'false' };
  const specs = [1, charts.length].map((count) => ours(folder, variables, nameOf(count)));
  const rows = await withServers(
    specs,
    upstream,
    () => bodies[0] ?? '',
    async (servers) => {
      for (const server of servers) await checkWindows(server, bodies);
      await cacheCharts(servers.at(-1) as Server, upstream, charts);
      const loads: NamedLoad[] = servers.map(({ spec, url }) => ({ name: spec.name, url, bodiesFile }));
      return toLoadRows(await loadInTurns(loads, effort));
    },
  );
  return toOutcome(rows, {
    name: 'growth of charts',
    what: `A different window of the same chart in every request, without a response cache: ${bodies.length} windows. All pages of 1 or ${charts.length} charts are cached.`,
    smallest: nameOf(1),
    largest: nameOf(charts.length),
  });
}

function toOutcome(
  rows: readonly Row[],
  { name, what, smallest, largest }: Record<'name' | 'what' | 'smallest' | 'largest', string>,
): Outcome {
  const ratio = ratioTo(rows, smallest, largest);
  return {
    name,
    what,
    unit: 'requests/s',
    better: 'more',
    rows,
    reference: largest,
    more: LOAD_COLUMNS,
    goals: [ratioGoal(`${largest}: at least 0.9 x ${smallest}`, ratio, { least: 0.9 })],
  };
}

/**
 * Requests all windows twice.
 *
 * @throws When a response is not cached the second time: not all of them fit.
 */
async function cacheAll(server: Server, bodies: readonly string[]): Promise<void> {
  await checkWindows(server, bodies);
  await withoutResponses(server, 'made', () => checkWindows(server, bodies));
}

/**
 * Requests all pages of these charts twice.
 *
 * @throws When a page is not cached the second time: not all of them fit.
 */
async function cacheCharts(server: Server, upstream: Upstream, charts: readonly Chart[]): Promise<void> {
  await requestCharts(server, charts);
  const before = (await upstream.stats()).requests;
  await requestCharts(server, charts);
  const fetched = (await upstream.stats()).requests - before;
  if (fetched > 0)
    throw new Error(`${server.spec.name}: expected all pages to be cached, but got: ${fetched} more`);
}

async function requestCharts({ url }: Server, charts: readonly Chart[]): Promise<void> {
  const client = createClient(url);
  for (const chart of charts) {
    let after: string | null = null;
    do {
      const { text } = await client.post(windowBody(chart, MAX_FIRST, after));
      after = readNextCursor(text);
    } while (after !== null);
  }
  await client.close();
}

function allChartsOf(region: string): readonly Chart[] {
  return Object.values(TrendingPeriod).flatMap((period) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period, orderBy })),
  );
}
