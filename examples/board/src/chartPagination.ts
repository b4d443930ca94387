import type { FieldMergeFunction, FieldPolicy } from '@apollo/client';
import { relayStylePagination } from '@apollo/client/utilities';
import type { ChartFactsFragment } from './generated/documents.ts';

type List = ChartFactsFragment | null;

const relayStyle = relayStylePagination(['region', 'period', 'orderBy']);
/** A function there, though its type allows for `true` and `false`. */
const mergeWindows = relayStyle.merge as FieldMergeFunction<List>;

/**
 * All windows of a chart are one list. It is as old as the oldest of them, and stale when any of them is; a window from
 * the top begins it anew.
 */
const mergeFacts: FieldMergeFunction<List> = (existing, incoming, options) => {
  const list = mergeWindows(existing, incoming, options);
  if (!list || !existing || !incoming || !options.args?.after) return list;
  const [fetchedAt = incoming.fetchedAt] = [existing.fetchedAt, incoming.fetchedAt].sort();
  return { ...list, fetchedAt, stale: existing.stale || incoming.stale };
};

export const chartPagination = { ...relayStyle, merge: mergeFacts } as FieldPolicy;
