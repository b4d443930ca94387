/** Label of every name beyond the bound. */
const OTHER = 'other';

/** Maps names that clients choose to a bounded number of labels. */
type BoundName = (name: string) => string;

/** Longer names are `other`. */
const MAX_LENGTH = 64;

/** Keeps the `known` names and the first `max` others; any further name is `other`. */
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
