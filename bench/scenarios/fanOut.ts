import { type Chart, TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { CHART, readItemIds, topBody } from '../bodies.ts';
import { takeTurns } from '../measure.ts';
import { type Client, createClient } from '../post.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { withServers } from '../runServer.ts';
import { hive, ours, PAGES_ONLY, peer } from '../servers.ts';
import { type Upstream, withUpstream } from '../upstream.ts';
import type { Scenario } from './scenario.ts';

const LATENCY_MS = 50;
const VIDEOS = 100;
const ROUND_TRIP = 'one upstream round trip';

const REGIONS = ['US', 'GB', 'FR', 'ES', 'IT', 'BR', 'JP', 'CA', 'MX', 'AU'];
const CHARTS: readonly Chart[] = REGIONS.flatMap((region) =>
  Object.values(TrendingPeriod).flatMap((period) =>
    Object.values(TrendingOrder).map((orderBy) => ({ region, period, orderBy })),
  ),
);
/** The first half only warms up connections and code: operations run one at a time, and V8 compiles code only after many. */
const WARM_UP = CHARTS.length / 2;

/** Five uncached pages in one window, each of which takes upstream 50 ms. */
export const fanOut: Scenario = (_effort, { folder, supergraph }) =>
  withUpstream(LATENCY_MS, (upstream) => {
    const specs = [
      ours(folder),
      peer('Mercurius with JIT', 'mercurius', PAGES_ONLY),
      peer('GraphQL Yoga', 'yoga', PAGES_ONLY),
      peer('Apollo Server as installed', 'apollo', PAGES_ONLY),
      hive('Hive Gateway', supergraph, { responses: false }),
    ];
    return withServers(
      specs,
      upstream,
      // A chart that is not measured.
      (spec) => topBody(spec, { ...CHART, region: 'DE' }, VIDEOS),
      async (servers) => {
        const clients = servers.map(({ url }) => createClient(url));
        const times = new Map<string, number[]>(
          [ROUND_TRIP, ...specs.map(({ name }) => name)].map((name) => [name, []]),
        );
        for (const [round, chart] of CHARTS.entries()) {
          // The emulator generates a chart on its first request.
          await fetchTop(upstream, chart);
          times.get(ROUND_TRIP)?.push(await time(() => fetchTop(upstream, chart)));
          for (const [index, spec] of takeTurns([...specs.entries()], round)) {
            const body = topBody(spec, chart, VIDEOS);
            times.get(spec.name)?.push(await time(() => postWindow(clients[index] as Client, body)));
          }
        }
        await Promise.all(clients.map((client) => client.close()));
        const rows = [...times].map(([name, values]) => ({ name, values: values.slice(WARM_UP), more: [] }));
        return [
          {
            name: 'fan-out',
            what: `The first ${VIDEOS} videos of a chart that is not cached: five pages, each of which takes upstream ${LATENCY_MS} ms. ${CHARTS.length - WARM_UP} charts, one operation at a time.`,
            unit: 'ms',
            better: 'less',
            rows,
            more: [],
            goals: [ratioGoal(`at most 1.15 x ${ROUND_TRIP}`, ratioTo(rows, ROUND_TRIP), { most: 1.15 })],
          },
        ];
      },
    );
  });

/** The duration of `run` in milliseconds. */
async function time(run: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

async function fetchTop({ url }: Upstream, { region, period, orderBy }: Chart): Promise<void> {
  const order = { VIEWS: 'vv', LIKES: 'like', COMMENTS: 'comment', REPOSTS: 'repost' }[orderBy];
  const response = await fetch(
    `${url}/v1/tiktok/trending/videos?region=${region}&period=${period}&order_by=${order}`,
  );
  await response.text();
}

async function postWindow(client: Client, body: string): Promise<void> {
  const { text } = await client.post(body);
  const videos = new Set(readItemIds(text)).size;
  if (videos !== VIDEOS) throw new Error(`expected ${VIDEOS} videos, but got: ${videos}`);
}
