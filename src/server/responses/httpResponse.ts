import type { OperationSummary } from '../events.ts';
import { compress, type Encoding } from './encoding.ts';

/** A response to a request to `/graphql`, before the request's `Accept-Encoding` and `If-None-Match` are applied. */
export class HttpResponse {
  #compressed: Map<Encoding, Promise<Buffer>> | undefined;

  /** @param summary Absent when no operation was executed. */
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Buffer,
    readonly summary?: OperationSummary,
  ) {}

  /** The body in a content coding: compressed once, on demand. */
  compressed(encoding: Encoding): Promise<Buffer> {
    this.#compressed ??= new Map();
    const cached = this.#compressed.get(encoding);
    if (cached !== undefined) return cached;
    const compressed = compress(this.body, encoding);
    this.#compressed.set(encoding, compressed);
    return compressed;
  }
}
