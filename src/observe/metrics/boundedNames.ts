/** What stands for every name beyond the bound. */
export const OTHER = 'other';

/** Names that anybody may send, as a label of bounded variety. */
export type BoundName = (name: string) => string;

/** Longer ones are not remembered. */
const MAX_LENGTH = 64;

/** Lets the `known` names through, and beside them the first `max` others that come; any further one is `other`. */
export function createBoundedNames(known: Iterable<string>, max: number): BoundName {
  const names = new Set(known);
  const size = names.size + max;
  return (name) => {
    if (names.has(name)) return name;
    if (names.size >= size || name.length > MAX_LENGTH) return OTHER;
    names.add(name);
    return name;
  };
}
