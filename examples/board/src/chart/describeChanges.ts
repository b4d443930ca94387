import { count, formatNumber } from '../page/words.ts';
import type { Chart } from './useChart.ts';

type Edges = Chart['edges'];

/** What a refresh has changed, such as `Refreshed: 2 videos moved, 1 entered and 1 left the top 20.` */
export function describeChanges(before: Edges, after: Edges): string {
  const [old, current] = [byId(before), byId(after)];
  const kept = [...current.values()].filter(({ node }) => old.has(node.id));
  const moved = kept.filter(({ node, rank }) => old.get(node.id)?.rank !== rank).length;
  const added = current.size - kept.length;
  const left = old.size - kept.length;
  const renumbered = kept.filter(({ node }) => {
    const numbers = old.get(node.id)?.node.stats;
    return node.stats && node.stats.fetchedAt !== numbers?.fetchedAt;
  }).length;
  const last = Math.max(0, ...after.map(({ rank }) => rank));
  const crossings = [
    added > 0 && `${formatNumber(added)} entered`,
    left > 0 && `${formatNumber(left)} left`,
  ].filter((crossing) => crossing !== false);
  const changes = [
    moved > 0 && `${count(moved, 'video')} moved`,
    crossings.length > 0 &&
      `${crossings.join(' and ')} the ${last > 0 ? `top ${formatNumber(last)}` : 'chart'}`,
    renumbered > 0 && `${count(renumbered, 'video')} ${renumbered === 1 ? 'has' : 'have'} new numbers`,
  ].filter((change) => change !== false);
  return changes.length > 0 ? `Refreshed: ${changes.join(', ')}.` : 'Refreshed: nothing has changed.';
}

/** The first edge of each video: while a chart moves, a video can be in two windows. */
function byId(edges: Edges): Map<string, Edges[number]> {
  return new Map(edges.toReversed().map((edge) => [edge.node.id, edge]));
}
