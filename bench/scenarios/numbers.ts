import { STATS_FIELD, VIDEO_FIELDS } from '../bodies.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { ours, PAGES_ONLY, peer } from '../servers.ts';
import { createWindowsScenario } from './windows.ts';

const APOLLO = 'Apollo Server as installed, DataLoader';

/** The same with numbers on every video. */
export const numbers = createWindowsScenario({
  name: 'numbers',
  what: 'Every video has its numbers. All pages and numbers are cached; no server caches whole responses.',
  fields: `${VIDEO_FIELDS} ${STATS_FIELD}`,
  servers: [
    ours({ responses: false }),
    peer('Mercurius with JIT, DataLoader', 'mercurius', PAGES_ONLY),
    peer(APOLLO, 'apollo', PAGES_ONLY),
  ],
  toGoal: (rows) => ratioGoal(`at least 3.0 x ${APOLLO}`, ratioTo(rows, APOLLO), { least: 3 }),
});
