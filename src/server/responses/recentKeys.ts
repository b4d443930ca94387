import { crc32 } from 'node:zlib';

/**
 * Remembers the last so many keys, by a checksum of 4 bytes: once in some hundred thousand times, a key is taken for another
 * one.
 */
export class RecentKeys {
  #current = new Set<number>();
  #previous = new Set<number>();

  /**
   * Whether the key is remembered; from now on it is.
   *
   * @param count Of the last keys, at least as many are remembered, and at most twice as many.
   */
  see(key: string, count: number): boolean {
    // As a signed number: V8 stores no object for it.
    const sum = crc32(key) | 0;
    if (this.#current.has(sum)) return true;
    if (this.#current.size >= count) {
      this.#previous = this.#current;
      this.#current = new Set();
    }
    this.#current.add(sum);
    return this.#previous.has(sum);
  }
}
