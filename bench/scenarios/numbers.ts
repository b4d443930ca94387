import { STATS_FIELD, VIDEO_FIELDS } from '../bodies.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { PAGES_ONLY, peer } from '../servers.ts';
import { createWindowsScenario } from './windows.ts';

const APOLLO = 'Apollo Server as installed, DataLoader';

/** The same with numbers on every video. */
export const numbers = createWindowsScenario({
  name: 'numbers',
  what: 'Every video has its numbers. All pages and numbers are cached; none of the responses of this server came from its response cache.',
  fields: `${VIDEO_FIELDS} ${STATS_FIELD}`,
  peers: [
    peer('Mercurius with JIT, DataLoader', 'mercurius', PAGES_ONLY),
    peer(APOLLO, 'apollo', PAGES_ONLY),
  ],
  toGoals: (rows) => [ratioGoal(`at least 3.0 x ${APOLLO}`, ratioTo(rows, APOLLO), { least: 3 })],
});
