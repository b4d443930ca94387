import { count } from '../page/words.ts';
import type { Chart } from './useChart.ts';

type Edges = Chart['edges'];

/** What a refresh has changed, such as `2 videos moved, 1 is new.` */
export function describeChanges(before: Edges, after: Edges): string {
  const old = new Map(before.map((edge) => [edge.node.id, edge]));
  const kept = after.filter(({ node }) => old.has(node.id));
  const moved = kept.filter(({ node, rank }) => old.get(node.id)?.rank !== rank).length;
  const added = after.length - kept.length;
  const left = old.size - kept.length;
  const renumbered = kept.filter(({ node }) => {
    const numbers = old.get(node.id)?.node.stats;
    return node.stats && node.stats.fetchedAt !== numbers?.fetchedAt;
  }).length;
  const changes = [
    moved > 0 && `${count(moved, 'video')} moved`,
    added > 0 && `${count(added, 'video')} came in`,
    left > 0 && `${count(left, 'video')} left`,
    renumbered > 0 && `${count(renumbered, 'video')} ${renumbered === 1 ? 'has' : 'have'} new numbers`,
  ].filter((change) => change !== false);
  return changes.length > 0 ? `Refreshed: ${changes.join(', ')}.` : 'Refreshed: nothing has changed.';
}
