/**
 * The function that computes a value once for each object, as long as the object is in memory.
 *
 * @param compute Gives the same for the same object, whatever further arguments are.
 */
export function memoise<T extends object, U extends NonNullable<unknown>, A extends unknown[]>(
  compute: (input: T, ...others: A) => U,
): (input: T, ...others: A) => U {
  const known = new WeakMap<T, U>();
  return (input, ...others) => {
    const before = known.get(input);
    if (before !== undefined) return before;
    const computed = compute(input, ...others);
    known.set(input, computed);
    return computed;
  };
}
