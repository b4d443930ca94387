import { CHART, topBody } from '../bodies.ts';
import { takeTurns } from '../measure.ts';
import { PAGE_SIZE } from '../peers/pages.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { startServer } from '../runServer.ts';
import { hive, NO_CACHES, ours, PAGES_ONLY, peer } from '../servers.ts';
import { withUpstream } from '../upstream.ts';
import type { Scenario } from './scenario.ts';

const APOLLO = 'Apollo Server as installed';

/** From the spawn of a process to its first response. */
export const start: Scenario = ({ rounds }, { folder, supergraph }) =>
  withUpstream(0, async (upstream) => {
    const specs = [
      ours(folder),
      peer(APOLLO, 'apollo', NO_CACHES),
      peer('GraphQL Yoga', 'yoga', NO_CACHES),
      peer('Mercurius with JIT', 'mercurius', PAGES_ONLY),
      hive('Hive Gateway', supergraph, { responses: false }),
    ];
    const times = new Map<string, number[]>(specs.map(({ name }) => [name, []]));
    // The first round does not count: it reads the programs from disk.
    for (let round = 0; round <= rounds; round++) {
      for (const spec of takeTurns(specs, round)) {
        const server = await startServer(spec, upstream, topBody(spec, CHART, PAGE_SIZE));
        if (round > 0) times.get(spec.name)?.push(server.startMs);
        await server.close();
      }
    }
    const rows = [...times].map(([name, values]) => ({ name, values, more: [] }));
    return [
      {
        name: 'start',
        what: `From the spawn of a process to its first response with ${PAGE_SIZE} videos, requested every 2 ms.`,
        unit: 'ms',
        better: 'less',
        rows,
        more: [],
        goals: [ratioGoal(`at most 0.8 x ${APOLLO}`, ratioTo(rows, APOLLO), { most: 0.8 })],
      },
    ];
  });
