import { type Chart, TrendingOrder } from '../../src/domain/chart.ts';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { readItemIds, windowBody, writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { loadInTurns } from '../measure.ts';
import { createFetchedPages, PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { type Server, type ServerSpec, withServers, withUpstream } from '../processes.ts';
import { format, type Goal, type Row } from '../report.ts';
import { shuffle } from '../shuffle.ts';
import type { Scenario } from './scenario.ts';

const CHARTS: readonly Chart[] = ['US', 'GB'].flatMap((region) =>
  Object.values(TrendingOrder).map((orderBy) => ({ region, period: 7, orderBy }) as const),
);
const CHART_LENGTH = 500;

/** See `createWindowsScenario`. */
interface WindowsOptions {
  readonly name: string;
  /** What is the same in every window, to follow on the description. */
  readonly what: string;
  readonly fields: string;
  readonly servers: readonly ServerSpec[];
  readonly toGoal: (rows: readonly Row[]) => Goal;
}

/** A different window in every request, with everything cached that these fields need. */
export function createWindowsScenario({
  name,
  what,
  fields,
  servers: specs,
  toGoal,
}: WindowsOptions): Scenario {
  return (effort, { folder }) =>
    withUpstream(0, async (upstream) => {
      const bodies = await makeBodies(upstream.url, fields);
      const file = await writeBodies(folder, name, bodies);
      const first = bodies[0] ?? '';
      return withServers(
        specs,
        upstream,
        () => first,
        async (servers) => {
          // Every window once: this caches everything and checks that every server responds correctly.
          for (const server of servers) await checkWindows(server, bodies);
          const loads = await loadInTurns(servers, () => file, effort);
          for (const server of servers) await checkWindows(server, bodies.slice(0, 10));
          const rows = toLoadRows(loads);
          return {
            name,
            what: `A different window in every request: ${format(bodies.length)} windows of ${PAGE_SIZE} videos, ${CHARTS.length} charts, in a shuffled order that is always the same. ${what}`,
            unit: 'requests/s',
            better: 'more',
            rows,
            more: LOAD_COLUMNS,
            goals: [toGoal(rows)],
          };
        },
      );
    });
}

/** On every chart, every window of a page's length that comes after a video. */
async function makeBodies(keyapiUrl: string, fields: string): Promise<readonly string[]> {
  const pages = createFetchedPages(keyapiUrl);
  const bodies = CHARTS.map(async (chart) => {
    const numbers = Array.from({ length: CHART_LENGTH / PAGE_SIZE - 1 }, (_, index) => index + 1);
    const edges = (await Promise.all(numbers.map((number) => pages(chart, number)))).flatMap(
      (page) => page.edges,
    );
    return edges.map(({ rank, node }) =>
      windowBody(chart, PAGE_SIZE, encodeCursor(chart, { rank, itemId: node.itemId }), fields),
    );
  });
  return shuffle((await Promise.all(bodies)).flat());
}

async function checkWindows({ spec, url }: Server, bodies: readonly string[]): Promise<void> {
  await postAll(url, bodies, 10, (text) => {
    const videos = new Set(readItemIds(text)).size;
    if (videos !== PAGE_SIZE)
      throw new Error(`${spec.name}: expected ${PAGE_SIZE} videos, but got: ${videos}`);
  });
}
