import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from './cors.ts';
import type { HeaderList } from './headerList.ts';
import { toRequestId } from './requestIdentity.ts';
import type { SendTogether } from './sendTogether.ts';

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

/** The bytes of a body, as text or in a buffer; undefined: the response has none. */
type Body = string | Buffer | undefined;

/** A response that is waiting to be written. */
interface ReadyResponse {
  readonly status: number;
  readonly headers: string[];
  readonly body: Body;
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
  /** Whether a refusal was its response: if that fails too, there is none. */
  isRefused = false;
  #ready: ReadyResponse | undefined;

  /** @param arrivedAt In milliseconds, on the monotonic clock. */
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly cors: Cors,
    private readonly sendTogether: SendTogether<Exchange>,
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
   * Sends the response, together with those to other requests.
   *
   * @param headers All of its headers, but that of the body's length.
   * @param now In milliseconds, on the monotonic clock.
   */
  send(status: number, headers: string[], body: Body, now: number): undefined {
    if (body !== undefined) headers.push('content-length', String(body.length));
    this.#ready = { status, headers, body };
    this.sendTogether(this, now);
  }

  /** Writes the response that was to be sent. */
  write(): void {
    if (!this.#ready) return;
    const { status, headers, body } = this.#ready;
    this.response.writeHead(status, headers).end(body, 'latin1');
  }
}
