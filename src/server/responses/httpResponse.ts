import type { OperationSummary } from '../events.ts';
import type { HttpCaching } from './cacheControl.ts';
import { compress, type Encoding } from './encoding.ts';

/** See `HttpResponse`. */
interface Details {
  /** Absent when no operation was executed. */
  readonly summary?: OperationSummary;
  /** Absent when no cache may store the response. */
  readonly caching?: HttpCaching | undefined;
}

/** A response to a request to `/graphql`, before the request's `Accept-Encoding` and `If-None-Match` are applied. */
export class HttpResponse {
  readonly summary: OperationSummary | undefined;
  readonly caching: HttpCaching | undefined;
  #compressed: Map<Encoding, Promise<Buffer>> | undefined;

  /** @param headers Without `cache-control`, which changes while the response is cached. */
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: Buffer,
    { summary, caching }: Details = {},
  ) {
    this.summary = summary;
    this.caching = caching;
  }

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
