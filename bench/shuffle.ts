/** The items in a pseudo-random order that is always the same. */
export function shuffle<T>(items: readonly T[]): T[] {
  const mixed = [...items];
  let state = 1;
  for (let last = mixed.length - 1; last > 0; last--) {
    // A linear congruential generator (Numerical Recipes): its upper bits are random enough for this.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const chosen = Math.floor((state / 2 ** 32) * (last + 1));
    [mixed[last], mixed[chosen]] = [mixed[chosen] as T, mixed[last] as T];
  }
  return mixed;
}
