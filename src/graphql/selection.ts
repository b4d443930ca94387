import {
  type ASTNode,
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
  visit,
} from 'graphql';

/** What reading a selection needs. */
export type SelectionContext = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues'>;

/** Whatever has a selection: a field, or an operation. */
export type Selector = { readonly selectionSet?: SelectionSetNode | undefined };

/**
 * The fields selected below `parents`, which are of one object type: fragments are expanded, `@skip` and `@include`
 * applied. Each fragment is expanded once, so that the work stays linear in the document.
 */
export function selectedFields(
  parents: readonly Selector[],
  { fragments, variableValues }: SelectionContext,
): FieldNode[] {
  const fields: FieldNode[] = [];
  const expanded = new Set<string>();

  function collect(selectionSet: SelectionSetNode | undefined): void {
    for (const selection of selectionSet?.selections ?? []) {
      if (!isIncluded(selection, variableValues)) continue;
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

function isIncluded(selection: SelectionNode, variableValues: SelectionContext['variableValues']): boolean {
  // Most selections have none, and this is called for each of them in each operation.
  if (!selection.directives?.length) return true;
  const isSkipped = getDirectiveValues(GraphQLSkipDirective, selection, variableValues)?.if === true;
  return !isSkipped && getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)?.if !== false;
}

/** Whether an operation has certain fields anywhere; if not, its selections need not be searched in each execution. */
export type MentionsFields = (info: Pick<GraphQLResolveInfo, 'operation' | 'fragments'>) => boolean;

/** Creates the check for fields with these names, which searches each operation once. */
export function createMentionCheck(names: readonly string[]): MentionsFields {
  const found = new WeakMap<OperationDefinitionNode, boolean>();
  return ({ operation, fragments }) => {
    const known = found.get(operation);
    if (known !== undefined) return known;
    const isMentioned = [operation, ...Object.values(fragments)].some((node) => hasField(node, names));
    found.set(operation, isMentioned);
    return isMentioned;
  };
}

function hasField(node: ASTNode, names: readonly string[]): boolean {
  let isFound = false;
  visit(node, {
    Field: ({ name }) => {
      if (names.includes(name.value)) isFound = true;
    },
  });
  return isFound;
}
