import type { TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { makeTrace, type TracedOperation } from '../../test/system/support/trace.ts';
import { CHART, pagesBody, readItemIds, topBody } from '../bodies.ts';
import { CONNECTIONS } from '../load.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { type ServerSpec, startServer, type Upstream, withUpstream } from '../processes.ts';
import { format, type Row, ratioGoal, ratioTo } from '../report.ts';
import { ANSWERS_ONLY, hive, NO_CACHES, ours, peer } from '../servers.ts';
import type { Scenario } from './scenario.ts';

/** Long enough for the same page to be wanted again while it is on its way. */
const LATENCY_MS = 5;
const CREDITS_A_PAGE = 2;
const MINIMUM = 'minimum: each page once';

/** What a day of many readers costs. */
export const bill: Scenario = ({ tracedOperations }, { supergraph }) =>
  withUpstream(LATENCY_MS, async (upstream) => {
    const trace = makeTrace(tracedOperations);
    const specs = [
      ours({ answers: true }),
      peer('Apollo Server as installed', 'apollo', NO_CACHES),
      peer('Apollo Server, response cache', 'apollo', ANSWERS_ONLY),
      peer('GraphQL Yoga, response cache', 'yoga', ANSWERS_ONLY),
      peer('Mercurius, mercurius-cache', 'mercurius', ANSWERS_ONLY),
      hive('Hive Gateway, response cache', supergraph, { answers: true }),
    ];
    const pages = new Set(trace.flatMap((operation) => operation.pages)).size;
    const rows: Row[] = [{ name: MINIMUM, values: [pages * CREDITS_A_PAGE], more: [format(pages), '', ''] }];
    for (const spec of specs) rows.push(await payFor(spec, upstream, trace));
    return {
      name: 'bill',
      what: `${format(trace.length)} operations as many readers send them: charts by Zipf's law, windows of 5 to 100 videos from any depth, ${CONNECTIONS} at once; upstream takes ${LATENCY_MS} ms. The peers have what they can be installed with, no cache of pages. Hive Gateway, whose schema has pages, is asked for the pages of each window, one by one.`,
      unit: 'credits',
      better: 'less',
      rows,
      more: ['upstream requests', 'videos', 'seconds'],
      goals: [ratioGoal('the minimum', ratioTo(rows, MINIMUM), { most: 1 })],
    };
  });

async function payFor(spec: ServerSpec, upstream: Upstream, trace: readonly TracedOperation[]): Promise<Row> {
  // A chart that is not in the trace.
  const server = await startServer(spec, upstream, topBody(spec, { ...CHART, region: 'SE' }, PAGE_SIZE));
  try {
    const before = await upstream.stats();
    const startedAt = performance.now();
    let videos = 0;
    await postAll(server.url, toBodies(spec, trace), CONNECTIONS, (text) => {
      videos += readItemIds(text).length;
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await upstream.stats();
    const figures = [after.requests - before.requests, videos, seconds];
    return { name: spec.name, values: [after.credits - before.credits], more: figures.map(format) };
  } finally {
    await server.close();
  }
}

function toBodies({ shape }: ServerSpec, trace: readonly TracedOperation[]): readonly string[] {
  if (shape === 'connection') return trace.map(({ query }) => JSON.stringify({ query }));
  return trace.flatMap(({ pages }) => pages.map(toPageBody));
}

/** Asks for a page that is named as `US:7:VIEWS:1`. */
function toPageBody(page: string): string {
  const [region = '', period, orderBy, number] = page.split(':');
  const chart = { region, period: Number(period) as TrendingPeriod, orderBy: orderBy as TrendingOrder };
  return pagesBody(chart, [Number(number)]);
}
