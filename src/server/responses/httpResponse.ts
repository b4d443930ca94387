import type { Bytes } from '../../graphql/execution/byteText.ts';
import type { OperationSummary } from '../events.ts';
import { type HeaderList, toHeaderList } from '../http/headerList.ts';
import { SECURITY_LIST } from '../http/securityHeaders.ts';
import { createCacheControl, type HttpCaching } from './cacheControl.ts';
import { compress, type Encoding } from './encoding.ts';

/** See `HttpResponse`. */
interface Details {
  /** Other security headers than usual. */
  readonly security?: HeaderList;
  /** Absent when no operation was executed. */
  readonly summary?: OperationSummary;
  /** Absent when no cache may store the response. */
  readonly caching?: HttpCaching | undefined;
}

/** A response to a request to `/graphql`, before the request's `Accept-Encoding` and `If-None-Match` are applied. */
export class HttpResponse {
  readonly summary: OperationSummary | undefined;
  /** Whether shared caches may send it to other clients, too. */
  readonly isReplayed: boolean;
  /** Writes `Cache-Control`, which changes while the response is cached. */
  readonly cacheControl: (now: number) => string;
  readonly etag: string | undefined;
  #compressed: Map<Encoding, Buffer | Promise<Buffer>> | undefined;

  /** All headers that do not change while the response is cached. */
  readonly headers: HeaderList;

  /** @param headers Those that are not security headers. */
  constructor(
    readonly status: number,
    headers: Readonly<Record<string, string>>,
    readonly body: Bytes,
    { security = SECURITY_LIST, summary, caching }: Details = {},
  ) {
    this.headers = [...security, ...toHeaderList(headers)];
    this.etag = headers.etag;
    this.summary = summary;
    this.isReplayed = caching?.isReplayed === true;
    this.cacheControl = createCacheControl(caching);
  }

  /** The body in a content coding: compressed once, on demand. */
  compressed(encoding: Encoding): Buffer | Promise<Buffer> {
    this.#compressed ??= new Map();
    const cached = this.#compressed.get(encoding);
    return cached ?? this.#compress(encoding, this.#compressed);
  }

  #compress(encoding: Encoding, cache: Map<Encoding, Buffer | Promise<Buffer>>): Promise<Buffer> {
    const compressing = compress(this.body, encoding);
    cache.set(encoding, compressing);
    void compressing.then(
      (compressed) => cache.set(encoding, compressed),
      () => undefined,
    );
    return compressing;
  }
}
