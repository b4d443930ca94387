// Looked up once: in the contexts that tests run in, each look-up of a global takes much longer than the hash.
const { imul } = Math;

/** A 32-bit hash of a text (FNV-1a, then murmur3's finaliser): the same on every machine. */
export function hash(text: string): number {
  return finish(absorb(text));
}

/** The unfinished hash of a text, or of one that begins with what gave `state`: so a prefix is hashed only once. */
export function absorb(text: string, state = 0x811c9dc5): number {
  let h = state;
  for (let i = 0; i < text.length; i++) h = imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/** The hash of what was absorbed. */
export function finish(state: number): number {
  let h = state;
  h = imul(h ^ (h >>> 16), 0x85ebca6b);
  h = imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A fraction from 0 to below 1, by the hash of `seed`. */
export function fraction(seed: string): number {
  return hash(seed) / 2 ** 32;
}

/** One of `choices`, by the hash of `seed`. */
export function pick<T>(choices: readonly T[], seed: string): T {
  // The index is below the length, so the element is there.
  return choices[hash(seed) % choices.length] as T;
}

/** Nine decimal digits, by the hash of `seed`. */
export function digits(seed: string): string {
  return String(hash(seed) % 1e9).padStart(9, '0');
}
