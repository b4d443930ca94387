import { type DocumentNode, Kind } from 'graphql';
import { LRUCache } from 'lru-cache';

/** Memory of a parsed document for each character of its text, measured on queries of this API. */
const BYTES_PER_CHARACTER = 70;
/**
 * Memory of what is compiled and prepared for an operation, roughly, as measured. All operations of a document count,
 * although only those that are repeated are compiled.
 */
const OVERHEAD_BYTES = 20_000;

/**
 * Caches documents that were parsed and validated: Apollo Server's `documentStore`, which the fast path searches by
 * text. Bounded; the least recently used is evicted first.
 */
export class DocumentCache {
  readonly #documents: LRUCache<string, DocumentNode>;
  readonly #keys = new Map<string, string>();

  constructor(maxBytes: number) {
    this.#documents = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (document, key) =>
        OVERHEAD_BYTES * countOperations(document) +
        2 * key.length +
        BYTES_PER_CHARACTER * textOf(document).length,
      dispose: (document) => void this.#keys.delete(textOf(document)),
    });
  }

  /** What all documents take. */
  get bytes(): number {
    return this.#documents.calculatedSize;
  }

  /** The document with exactly this text. */
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

function countOperations({ definitions }: DocumentNode): number {
  return definitions.filter(({ kind }) => kind === Kind.OPERATION_DEFINITION).length;
}

function textOf({ loc }: DocumentNode): string {
  return loc?.source.body ?? '';
}
