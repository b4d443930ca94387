import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';

/** Beyond this graphql-jit takes tens of milliseconds, and its code too much memory. */
const MAX_SELECTIONS = 200;

/**
 * Whether graphql-jit may compile a document. It may not
 *
 * - with directives: compiled code shows resolvers the fields that `@skip` leaves out, and they would pay for them;
 * - with the alias `__proto__`: compiled code would set the result's prototype;
 * - when it is large. Fragments count wherever they are spread, as the compiler expands them: spreads of spreads make a
 *   small document arbitrarily large.
 */
export function canCompile(document: DocumentNode): boolean {
  let isPlain = true;
  visit(document, {
    Directive: () => {
      isPlain = false;
    },
    Field: ({ alias }) => {
      if (alias?.value === '__proto__') isPlain = false;
    },
  });
  return isPlain && countSelections(document) <= MAX_SELECTIONS;
}

/** How many selections a document has with all fragments expanded. Takes time linear in the document. */
function countSelections({ definitions }: DocumentNode): number {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  const counts = new Map<string, number>();

  function countIn(selectionSet: SelectionSetNode | undefined): number {
    let count = 0;
    for (const node of selectionSet?.selections ?? []) {
      count +=
        1 +
        (node.kind === Kind.FRAGMENT_SPREAD ? countInFragment(node.name.value) : countIn(node.selectionSet));
    }
    return count;
  }

  function countInFragment(name: string): number {
    const count =
      counts.get(name) ?? countIn(fragments.find((fragment) => fragment.name.value === name)?.selectionSet);
    counts.set(name, count);
    return count;
  }

  const operations = definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION);
  return operations.reduce((sum, { selectionSet }) => sum + countIn(selectionSet), 0);
}
