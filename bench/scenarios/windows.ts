import { writeBodies } from '../bodies.ts';
import { LOAD_COLUMNS, toLoadRows } from '../loadRows.ts';
import { type Loads, loadInTurns } from '../measure.ts';
import { withoutResponses } from '../metrics.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { postAll } from '../post.ts';
import { format, type Goal, type Outcome, type Row } from '../report.ts';
import { type Server, type ServerSpec, withServers } from '../runServer.ts';
import { saveResponse } from '../savedResponse.ts';
import { FASTIFY, fixedBytes, OURS, ours } from '../servers.ts';
import { withUpstream } from '../upstream.ts';
import { chartsOf, checkWindows, makeWindows } from '../windows.ts';
import type { Scenario } from './scenario.ts';

const CHARTS = chartsOf(['US', 'GB']);

/** See `createWindowsScenario`. */
interface WindowsOptions {
  readonly name: string;
  /** What is the same in every window, to follow on the description. */
  readonly what: string;
  readonly fields: string;
  readonly peers: readonly ServerSpec[];
  readonly toGoals: (rows: readonly Row[], loads: Loads) => readonly Goal[];
}

/** A different window in every request, with everything cached that these fields need. */
export function createWindowsScenario({ name, what, fields, peers, toGoals }: WindowsOptions): Scenario {
  return (effort, { folder }) =>
    withUpstream(0, async (upstream) => {
      const bodies = await makeWindows(upstream.url, CHARTS, fields);
      const bodiesFile = await writeBodies(folder, name, bodies);
      const others = bodies.map((body) => body.replace(`"first":${PAGE_SIZE}`, `"first":${PAGE_SIZE - 1}`));
      const limit = fixedBytes(
        FASTIFY,
        'fastify',
        await saveResponse(upstream, folder, name, bodies[0] ?? ''),
      );

      async function measure(servers: readonly Server[]): Promise<readonly Outcome[]> {
        const product = servers.find(({ spec }) => spec.name === OURS) as Server;
        // A full response cache keeps what it has: it takes no window of the load, none of which is in demand.
        await postAll(product.url, others, 10);
        // Every window once: this caches everything and checks that every server responds correctly.
        for (const server of servers) await checkWindows(server, bodies);
        const specs = servers.map(({ spec, url }) => ({ name: spec.name, url, bodiesFile }));
        const loads = await withoutResponses(product, 'kept', () => loadInTurns(specs, effort));
        for (const server of servers) await checkWindows(server, bodies.slice(0, 10));
        const rows = toLoadRows(loads);
        return [
          {
            name,
            what: `A different window in every request: ${format(bodies.length)} windows of ${PAGE_SIZE} videos, ${CHARTS.length} charts, in a shuffled order that is always the same. ${what}`,
            unit: 'requests/s',
            better: 'more',
            rows,
            more: LOAD_COLUMNS,
            goals: toGoals(rows, loads),
          },
        ];
      }

      return withServers([limit, ours(folder), ...peers], upstream, () => others[0] ?? '', measure);
    });
}
