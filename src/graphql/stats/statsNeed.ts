import { createMentionCheck, type SelectionContext, type Selector, selectedFields } from '../selection.ts';

/** What a selection needs of the numbers on videos. `typename` alone costs nothing. */
export type StatsNeed = 'nothing' | 'typename' | 'numbers';

/** What is needed of `stats`, where these select from videos. */
export function toStatsNeed(videos: readonly Selector[], context: SelectionContext): StatsNeed {
  const stats = selectedFields(videos, context).filter(({ name }) => name.value === 'stats');
  if (stats.length === 0) return 'nothing';
  const fields = selectedFields(stats, context);
  return fields.some(({ name }) => name.value !== '__typename') ? 'numbers' : 'typename';
}

/** False for an operation without a field `stats` anywhere. */
export const mentionsStats = createMentionCheck(['stats']);
