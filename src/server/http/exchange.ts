import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from './cors.ts';
import type { HeaderList } from './headerList.ts';
import { toRequestId } from './requestIdentity.ts';

/** A request to `/graphql`. */
export interface GraphqlRequest {
  readonly id: string;
  readonly method: string;
  /** Path and query string. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The name of its API key; undefined when it has no valid one, or none are configured. */
  readonly keyName: string | undefined;
  /** Not yet parsed; undefined when it has none. */
  readonly body: Buffer | undefined;
}

/** A response that is ready to be written. */
export interface ReadyResponse {
  readonly exchange: Exchange;
  readonly status: number;
  readonly headers: string[];
  /** Its bytes, as text with a character for each or in a buffer; undefined: it has none. */
  readonly body: string | Buffer | undefined;
}

/** A request to `/graphql` and its response, in Node's own objects: without a framework. */
export class Exchange implements GraphqlRequest {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  keyName: string | undefined;
  body: Buffer | undefined;
  /** What the response says of the client's rate limit. */
  rateLimit: HeaderList = [];
  /** True once it was refused: if that response cannot be written either, the connection is closed. */
  isRefused = false;

  /** @param arrivedAt In milliseconds, on the monotonic clock. */
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly cors: Cors,
    private readonly write: (ready: ReadyResponse) => void,
    readonly arrivedAt: number,
  ) {
    const { method = '', url = '', headers } = request;
    this.id = toRequestId(request);
    this.method = method;
    this.url = url;
    this.headers = headers;
  }

  /** Adds what the response says of this request: its id, and the client's rate limit. */
  addOwnHeaders(to: string[]): void {
    to.push('x-request-id', this.id);
    for (const text of this.rateLimit) to.push(text);
  }

  /**
   * Sends the response.
   *
   * @param headers All of its headers, but that of the body's length.
   */
  send(status: number, headers: string[], body?: ReadyResponse['body']): undefined {
    if (body !== undefined) headers.push('content-length', String(body.length));
    this.write({ exchange: this, status, headers, body });
  }
}
