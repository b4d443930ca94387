import type { TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { makeTrace, type TracedOperation } from '../../test/system/support/trace.ts';
import { CHART, pagesBody, readItemIds, topBody } from '../bodies.ts';
import { CONNECTIONS } from '../load.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { format, type Row, ratioGoal, ratioTo } from '../report.ts';
import { type ServerSpec, startServer } from '../runServer.ts';
import { hive, NO_CACHES, ours, peer, RESPONSES_ONLY } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import type { Scenario } from './scenario.ts';

/** Long enough for a page to be requested again while its fetch is in flight. */
const LATENCY_MS = 5;
const CREDITS_PER_PAGE = 2;
const MINIMUM = 'minimum: each page once';

/** The cost of a day of many readers. */
export const bill: Scenario = ({ tracedOperations }, { folder, supergraph }) =>
  withUpstream(LATENCY_MS, async (upstream) => {
    const trace = makeTrace(tracedOperations);
    const specs = [
      ours(folder),
      peer('Apollo Server as installed', 'apollo', NO_CACHES),
      peer('Apollo Server, response cache', 'apollo', RESPONSES_ONLY),
      peer('GraphQL Yoga, response cache', 'yoga', RESPONSES_ONLY),
      peer('Mercurius, mercurius-cache', 'mercurius', RESPONSES_ONLY),
      hive('Hive Gateway, response cache', supergraph, { responses: true }),
    ];
    const pages = new Set(trace.flatMap((operation) => operation.pages)).size;
    const rows: Row[] = [
      { name: MINIMUM, values: [pages * CREDITS_PER_PAGE], more: [format(pages), '', ''] },
    ];
    for (const spec of specs) rows.push(await measureCost(spec, upstream, trace));
    return [
      {
        name: 'bill',
        what: `${format(trace.length)} operations as from many readers: charts by Zipf's law, windows of 5 to 100 videos at any depth, ${CONNECTIONS} at once; upstream takes ${LATENCY_MS} ms. The peers have the caches that can be installed for them, but no page cache. Hive Gateway, whose schema has pages, gets one request for each page of a window.`,
        unit: 'credits',
        better: 'less',
        rows,
        more: ['upstream requests', 'videos', 'seconds'],
        goals: [ratioGoal('the minimum', ratioTo(rows, MINIMUM), { most: 1 })],
      },
    ];
  });

async function measureCost(
  spec: ServerSpec,
  upstream: Upstream,
  trace: readonly TracedOperation[],
): Promise<Row> {
  // The first request is for a chart that is not in the trace.
  const server = await startServer(spec, upstream, topBody(spec, { ...CHART, region: 'SE' }, PAGE_SIZE));
  try {
    const before = await upstream.stats();
    const startedAt = performance.now();
    let videos = 0;
    await postAll(server.url, toBodies(spec, trace), CONNECTIONS, {
      check: (text) => {
        videos += readItemIds(text).length;
      },
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

/** The body of a POST for a page such as `US:7:VIEWS:1`. */
function toPageBody(page: string): string {
  const [region = '', period, orderBy, number] = page.split(':');
  const chart = { region, period: Number(period) as TrendingPeriod, orderBy: orderBy as TrendingOrder };
  return pagesBody(chart, [Number(number)]);
}
