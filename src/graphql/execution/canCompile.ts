import { type DocumentNode, Kind, type SelectionSetNode, visit } from 'graphql';

/** Beyond this graphql-jit takes tens of milliseconds, and its code too much memory. */
const MAX_SELECTIONS = 200;

/**
 * Whether graphql-jit may compile a document. It may not
 *
 * - with directives: compiled code shows resolvers the fields that `@skip` leaves out, and they would pay for them;
 * - with a variable inside an object, such as a reference of `_entities`: compiled code reads the object without it;
 * - with the alias `__proto__`: compiled code would set the result's prototype;
 * - with response keys such as `a_b` and `b`: compiled code joins the keys of a path by underscores, and could take one
 *   field for another;
 * - when it is large. Fragments count wherever they are spread, as the compiler expands them: spreads of spreads make a
 *   small document arbitrarily large.
 */
export function canCompile(document: DocumentNode): boolean {
  let isCompilable = true;
  const refuse = (): void => {
    isCompilable = false;
  };
  const keys = new Set<string>();
  visit(document, {
    Directive: refuse,
    ObjectValue: (node) => {
      visit(node, { Variable: refuse });
      return false;
    },
    Field: ({ name, alias = name }) => void keys.add(alias.value),
  });
  if (!isCompilable || keys.has('__proto__') || countSelections(document) > MAX_SELECTIONS) return false;
  return ![...keys].some((key) => hasEndAmong(key, keys));
}

/** True when what follows an underscore of the key is another key. */
function hasEndAmong(key: string, keys: ReadonlySet<string>): boolean {
  return [...key.matchAll(/_/g)].some(({ index }) => keys.has(key.slice(index + 1)));
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
