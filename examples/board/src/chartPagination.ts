import type { FieldMergeFunction, FieldPolicy } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import type { ChartFactsFragment } from './generated/documents.ts';

type List = (ChartFactsFragment & { readonly pageInfo: { readonly endCursor: string | null } }) | null;

const relayStyle = relayStylePagination(['region', 'period', 'orderBy']);
/** A function here, although its type also allows `true` and `false`. */
const mergeWindows = relayStyle.merge as FieldMergeFunction<List>;

/**
 * Merges all windows of a chart into one list. The list is as old as its oldest window, and stale when any window is.
 * A window from the top replaces the list.
 */
const mergeList: FieldMergeFunction<List> = (existing, incoming, options) => {
  const after: unknown = options.args?.after;
  if (!after || !existing || !incoming) return mergeWindows(existing, incoming, options);
  // The list was replaced after this window was requested: merging it would leave a gap.
  if (existing.pageInfo.endCursor !== after) return existing;
  const [fetchedAt = incoming.fetchedAt] = [existing.fetchedAt, incoming.fetchedAt].sort();
  const facts = { fetchedAt, stale: existing.stale || incoming.stale };
  return mergeWindows(existing, { ...incoming, ...facts }, options);
};

export const chartPagination = { ...relayStyle, merge: mergeList } as FieldPolicy;
