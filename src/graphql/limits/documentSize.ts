import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

/** The size of an operation; fragments count wherever they are spread. */
export interface OperationSize {
  /** Levels of nested fields; a root field is at 1. Fields below `__schema` and `__type` do not count. */
  readonly depth: number;
  readonly aliases: number;
  /** Fields at the root. */
  readonly rootFields: number;
  /** Uses of directives. */
  readonly directives: number;
}

const NOTHING: OperationSize = { depth: 0, aliases: 0, rootFields: 0, directives: 0 };
const INTROSPECTION: ReadonlySet<string> = new Set(['__schema', '__type']);

/**
 * Measures each operation of a document, which need not be valid: a missing fragment counts as nothing, and so does a
 * spread of a fragment within itself. Each fragment is measured once, however often it is spread: the work is linear in
 * the document, although spreads of spreads can make the counts arbitrarily large.
 */
export function measureOperations({ definitions }: DocumentNode): OperationSize[] {
  const fragments = new Map(definitions.filter(isFragment).map((node) => [node.name.value, node]));
  const measured = new Map<string, OperationSize>();

  function ofSelections(selectionSet: SelectionSetNode | undefined): OperationSize {
    return (selectionSet?.selections ?? []).map(ofSelection).reduce(add, NOTHING);
  }

  function ofSelection(node: SelectionNode): OperationSize {
    if (node.kind === Kind.FIELD) return withDirectives(node, ofField(node));
    const inner =
      node.kind === Kind.FRAGMENT_SPREAD ? ofFragment(node.name.value) : ofSelections(node.selectionSet);
    return withDirectives(node, inner);
  }

  function ofField({ name, alias, selectionSet }: FieldNode): OperationSize {
    const below = ofSelections(selectionSet);
    return {
      depth: INTROSPECTION.has(name.value) ? 1 : 1 + below.depth,
      aliases: below.aliases + (alias ? 1 : 0),
      rootFields: 1,
      directives: below.directives,
    };
  }

  function ofFragment(name: string): OperationSize {
    const known = measured.get(name);
    if (known) return known;
    const fragment = fragments.get(name);
    // Found when the fragment spreads itself.
    measured.set(name, NOTHING);
    const size = fragment ? withDirectives(fragment, ofSelections(fragment.selectionSet)) : NOTHING;
    measured.set(name, size);
    return size;
  }

  return definitions
    .filter((node) => node.kind === Kind.OPERATION_DEFINITION)
    .map((node) =>
      [node, ...(node.variableDefinitions ?? [])].reduce(
        (size, place) => withDirectives(place, size),
        ofSelections(node.selectionSet),
      ),
    );
}

function isFragment(node: DocumentNode['definitions'][number]): node is FragmentDefinitionNode {
  return node.kind === Kind.FRAGMENT_DEFINITION;
}

/** The size of two selections in one selection set. */
function add(one: OperationSize, other: OperationSize): OperationSize {
  return {
    depth: Math.max(one.depth, other.depth),
    aliases: one.aliases + other.aliases,
    rootFields: one.rootFields + other.rootFields,
    directives: one.directives + other.directives,
  };
}

function withDirectives(
  { directives = [] }: { readonly directives?: readonly unknown[] | undefined },
  size: OperationSize,
): OperationSize {
  return directives.length === 0 ? size : { ...size, directives: size.directives + directives.length };
}
