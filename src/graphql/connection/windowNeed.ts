import type { FieldNode } from 'graphql';
import { memoise } from '../../domain/memoise.ts';
import type { WindowNeed } from '../../domain/window/index.ts';
import { type SelectionContext, selectedFields } from '../selection.ts';

const ROW_FIELDS = ['edges', 'nodes', 'pageInfo.startCursor', 'pageInfo.endCursor'];
const FACT_FIELDS = [
  'totalCount',
  'fetchedAt',
  'stale',
  'comparedWith',
  'pageInfo.hasNextPage',
  'pageInfo.hasPreviousPage',
];

const LISTED_FIELDS = new Set([
  ...ROW_FIELDS,
  ...FACT_FIELDS,
  'pageInfo',
  '__typename',
  'pageInfo.__typename',
]);

/**
 * What a selection of a connection needs of its window; neither rows nor facts for `__typename` alone. A field that is not
 * listed above may need both, such as one that is computed from others.
 *
 * Memoised by array: compiled code, which has no directives, passes the same one to each execution.
 */
export const toWindowNeed = memoise(function toWindowNeed(
  connectionFields: readonly FieldNode[],
  context: SelectionContext,
): WindowNeed {
  const fields = selectedFields(connectionFields, context);
  const pageInfo = fields.filter(({ name }) => name.value === 'pageInfo');
  const names = new Set([
    ...fields.map(({ name }) => name.value),
    ...selectedFields(pageInfo, context).map(({ name }) => `pageInfo.${name.value}`),
  ]);
  const hasOthers = [...names].some((name) => !LISTED_FIELDS.has(name));
  return {
    rows: hasOthers || ROW_FIELDS.some((name) => names.has(name)),
    facts: hasOthers || FACT_FIELDS.some((name) => names.has(name)),
  };
});

/** The fields of a connection that give its videos. */
export function videoFields(
  connectionFields: readonly FieldNode[],
  context: SelectionContext,
): readonly FieldNode[] {
  const fields = selectedFields(connectionFields, context);
  const edges = fields.filter(({ name }) => name.value === 'edges');
  const nodes = selectedFields(edges, context).filter(({ name }) => name.value === 'node');
  return [...fields.filter(({ name }) => name.value === 'nodes'), ...nodes];
}
