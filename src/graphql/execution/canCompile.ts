import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';

/** Beyond this the compiler takes tens of milliseconds, and its code more memory than it is worth. */
const MAX_SELECTIONS = 200;

/**
 * Whether graphql-jit may compile a document. Not one with directives: compiled, a resolver is shown fields that a
 * condition leaves out, and would pay for them. Nor one with an alias that names an object's prototype, which
 * compiled code would set. Nor a large one, counted with each spread opened, as the compiler opens them: by spreads of
 * spreads a small text can become as large as it likes.
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

/** How many selections a document has with each spread opened; linear in the document. */
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
