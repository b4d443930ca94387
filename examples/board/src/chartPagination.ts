import type { FieldMergeFunction, FieldPolicy } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import type { ChartFactsFragment } from './generated/documents.ts';

type List = (ChartFactsFragment & { readonly pageInfo: { readonly endCursor: string | null } }) | null;

const relayStyle = relayStylePagination(['region', 'period', 'orderBy']);
/** A function there, though its type allows for `true` and `false`. */
const mergeWindows = relayStyle.merge as FieldMergeFunction<List>;

/**
 * All windows of a chart are one list. It is as old as the oldest of them, and stale when any of them is; a window from
 * the top begins it anew.
 */
const mergeList: FieldMergeFunction<List> = (existing, incoming, options) => {
  const after: unknown = options.args?.after;
  if (!after || !existing || !incoming) return mergeWindows(existing, incoming, options);
  // Asked for at the end of a list that has begun anew since: there would be a gap.
  if (existing.pageInfo.endCursor !== after) return existing;
  const [fetchedAt = incoming.fetchedAt] = [existing.fetchedAt, incoming.fetchedAt].sort();
  const facts = { fetchedAt, stale: existing.stale || incoming.stale };
  return mergeWindows(existing, { ...incoming, ...facts }, options);
};

export const chartPagination = { ...relayStyle, merge: mergeList } as FieldPolicy;
