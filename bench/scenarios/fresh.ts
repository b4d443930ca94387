import { VIDEO_FIELDS } from '../bodies.ts';
import { median, ratiosOf } from '../measure.ts';
import { ratioGoal, ratioTo } from '../report.ts';
import { OURS, PAGES_ONLY, peer } from '../servers.ts';
import { createWindowsScenario } from './windows.ts';

const JIT = 'Mercurius with JIT';
const APOLLO = 'Apollo Server as installed';

/** A different window in every request, with all pages cached. */
export const fresh = createWindowsScenario({
  name: 'new',
  what: 'All pages are cached. This server also caches responses, but there are more windows than fit: none of its responses came from that cache.',
  fields: VIDEO_FIELDS,
  peers: [
    peer(JIT, 'mercurius', PAGES_ONLY),
    peer('GraphQL Yoga', 'yoga', PAGES_ONLY),
    peer(APOLLO, 'apollo', PAGES_ONLY),
  ],
  toGoals: (rows, loads) => {
    const p99sOf = (name: string): readonly number[] => (loads.get(name) ?? []).map(({ p99Ms }) => p99Ms);
    return [
      ratioGoal(`at least 1.05 x ${JIT}`, ratioTo(rows, JIT), { least: 1.05 }),
      ratioGoal(`at least 4.2 x ${APOLLO}`, ratioTo(rows, APOLLO), { least: 4.2 }),
      ratioGoal(`p99 at most 2 x ${JIT}`, median(ratiosOf(p99sOf(OURS), p99sOf(JIT))), { most: 2 }),
    ];
  },
});
