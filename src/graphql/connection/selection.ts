import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  type SelectionSetNode,
} from 'graphql';
import type { WindowNeed } from '../../domain/window/index.ts';

/** What reading a selection needs. */
export type SelectionContext = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues'>;

const ROW_FIELDS = ['edges', 'nodes', 'pageInfo.startCursor', 'pageInfo.endCursor'];
const FACT_FIELDS = ['totalCount', 'fetchedAt', 'stale', 'pageInfo.hasNextPage', 'pageInfo.hasPreviousPage'];

/** What a selection of a connection needs of its window; neither rows nor facts for `__typename` alone. */
export function toWindowNeed(connectionFields: readonly FieldNode[], context: SelectionContext): WindowNeed {
  const fields = selectedFields(connectionFields, context);
  const pageInfo = fields.filter(({ name }) => name.value === 'pageInfo');
  const names = new Set([
    ...fields.map(({ name }) => name.value),
    ...selectedFields(pageInfo, context).map(({ name }) => `pageInfo.${name.value}`),
  ]);
  return {
    rows: ROW_FIELDS.some((name) => names.has(name)),
    facts: FACT_FIELDS.some((name) => names.has(name)),
  };
}

/**
 * The fields selected below `parents`, which are of one object type: fragments are expanded, `@skip` and `@include`
 * applied. Each fragment is expanded once, so that the work stays linear in the document.
 */
export function selectedFields(
  parents: readonly { readonly selectionSet?: SelectionSetNode | undefined }[],
  { fragments, variableValues }: SelectionContext,
): FieldNode[] {
  const fields: FieldNode[] = [];
  const expanded = new Set<string>();

  function collect(selectionSet: SelectionSetNode | undefined): void {
    for (const selection of selectionSet?.selections ?? []) {
      const isSkipped = getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.if === true;
      const isIncluded = getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.if !== false;
      if (isSkipped || !isIncluded) continue;
      if (selection.kind === 'Field') fields.push(selection);
      else if (selection.kind === 'InlineFragment') collect(selection.selectionSet);
      else if (!expanded.has(selection.name.value)) {
        expanded.add(selection.name.value);
        collect(fragments[selection.name.value]?.selectionSet);
      }
    }
  }

  for (const parent of parents) collect(parent.selectionSet);
  return fields;
}
