/** A 32-bit hash of a text (FNV-1a, then murmur3's finaliser): the same on every machine. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** One of `choices`, by the hash of `seed`. */
export function pick<T>(choices: readonly T[], seed: string): T {
  // The index is below the length, so the element is there.
  return choices[hash(seed) % choices.length] as T;
}
