import type { DocumentNode } from 'graphql';
import { LRUCache } from 'lru-cache';

/** What a parsed document takes for each character of its text: measured on queries of this API. */
const BYTES_PER_CHARACTER = 70;
/** What is compiled and remembered of it beside, about as measured. */
const OVERHEAD_BYTES = 15_000;

/**
 * The documents that were parsed and found valid: Apollo Server's `documentStore`, which can also be searched by text.
 * Bounded; least recently used first out.
 */
export class Documents {
  readonly #documents: LRUCache<string, DocumentNode>;
  readonly #keys = new Map<string, string>();

  constructor(maxBytes: number) {
    this.#documents = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (document, key) =>
        OVERHEAD_BYTES + 2 * key.length + BYTES_PER_CHARACTER * textOf(document).length,
      dispose: (document) => void this.#keys.delete(textOf(document)),
    });
  }

  /** What they take. */
  get bytes(): number {
    return this.#documents.calculatedSize;
  }

  /** The document of this very text. */
  find(text: string): DocumentNode | undefined {
    const key = this.#keys.get(text);
    return key === undefined ? undefined : this.#documents.get(key);
  }

  /** By Apollo Server's own key. */
  async get(key: string): Promise<DocumentNode | undefined> {
    return this.#documents.get(key);
  }

  async set(key: string, document: DocumentNode): Promise<void> {
    this.#documents.set(key, document);
    if (this.#documents.has(key)) this.#keys.set(textOf(document), key);
  }

  async delete(key: string): Promise<boolean> {
    return this.#documents.delete(key);
  }
}

function textOf({ loc }: DocumentNode): string {
  return loc?.source.body ?? '';
}
