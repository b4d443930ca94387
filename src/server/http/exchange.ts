import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Cors } from './cors.ts';
import { type HeaderList, toHeaderList } from './headerList.ts';
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

/** See `Exchange.send`. */
interface SendOptions {
  readonly body?: Buffer | undefined;
  /** Headers of the request that the response depends on, besides `Origin`. */
  readonly vary?: string;
  /** Whether shared caches may send it to other clients: then it says nothing about this one. */
  readonly isReplayed?: boolean | undefined;
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

  /** @param arrivedAt In milliseconds, on the monotonic clock. */
  constructor(
    readonly request: IncomingMessage,
    readonly response: ServerResponse,
    readonly cors: Cors,
    readonly arrivedAt: number,
  ) {
    const { method = '', url = '', headers } = request;
    this.id = toRequestId(request);
    this.method = method;
    this.url = url;
    this.headers = headers;
  }

  /**
   * Sends the response.
   *
   * @param headers Its headers, without those for scripts of other origins, about this request, and of the body's length.
   */
  send(status: number, headers: HeaderList, { body, vary, isReplayed = false }: SendOptions): void {
    const { id, rateLimit, response, cors } = this;
    const list = [...headers, ...toHeaderList(cors.toHeaders(this.headers.origin, vary))];
    if (!isReplayed) list.push('x-request-id', id, ...rateLimit);
    if (body) list.push('content-length', String(body.length));
    response.writeHead(status, list).end(body);
  }
}
