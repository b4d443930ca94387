import { VIDEO_FIELDS } from '../bodies.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { ours, PAGES_ONLY, peer } from '../servers.ts';
import { createWindowsScenario } from './windows.ts';

const JIT = 'Mercurius with JIT';

/** A different window in every request, with all pages cached. */
export const fresh = createWindowsScenario({
  name: 'new',
  what: 'All pages are cached; no server caches whole responses.',
  fields: VIDEO_FIELDS,
  servers: [
    ours({ responses: false }),
    peer(JIT, 'mercurius', PAGES_ONLY),
    peer('GraphQL Yoga', 'yoga', PAGES_ONLY),
    peer('Apollo Server as installed', 'apollo', PAGES_ONLY),
  ],
  toGoal: (rows) => ratioGoal(`at least 1.0 x ${JIT}`, ratioTo(rows, JIT), { least: 1 }),
});
