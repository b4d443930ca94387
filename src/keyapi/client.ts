import pTimeout, { TimeoutError } from 'p-timeout';
import { Pool } from 'undici';
import type { Clock } from '../domain/clock.ts';
import { ApiError, type UpstreamResponse } from '../domain/errors.ts';
import { type FetchOptions, PAGE_SIZE, type Page, type PageKey, type PageSource } from '../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../domain/upstreamCost.ts';
import { createConnections } from './connections.ts';
import { isSuccess, type Payload, type RawResponse, readResponse } from './envelope.ts';
import type { OnKeyapiEvent, UpstreamCallEvent } from './events.ts';
import { toRequestPath } from './request.ts';
import { createRowReader } from './rowReader.ts';
import { sendRequest } from './sendRequest.ts';

/** Address of KeyAPI, credentials, and limits of a call. */
interface KeyapiClientOptions {
  readonly baseUrl: URL;
  readonly token: string | undefined;
  /** Deadline of one attempt, from its start to the last byte of the response. */
  readonly timeoutMs: number;
  /** Connections in the pool: the most requests in flight at once. */
  readonly connections: number;
  readonly clock: Clock;
  readonly onEvent: OnKeyapiEvent;
}

/** A client of KeyAPI's trending videos, with its connections. */
export interface KeyapiClient {
  /** Buys one page: each call is one request, 2 credits. */
  readonly fetchPage: PageSource;
  readonly close: () => Promise<void>;
}

interface CallResult extends Partial<Pick<UpstreamResponse, 'status' | 'requestId'>> {
  readonly outcome: UpstreamCallEvent['outcome'];
  readonly detail?: string | undefined;
}

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/** Creates a client of KeyAPI's trending videos (`GET /v1/tiktok/trending/videos`). It does not follow redirects. */
export function createKeyapiClient(options: KeyapiClientOptions): KeyapiClient {
  const { baseUrl, token, timeoutMs, connections, clock, onEvent } = options;
  const { connect, watch } = createConnections();
  const pool = new Pool(baseUrl.origin, {
    connections,
    connect,
    maxResponseSize: MAX_RESPONSE_BYTES,
    // Off, because the attempt has a deadline of its own: these two would not stop a response that drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = {
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  /** Removes the token from KeyAPI's texts, before they are logged or sent to a client. */
  const redact = (text: string): string => (token === undefined ? text : text.replaceAll(token, '[token]'));
  const readRows = createRowReader(redact, onEvent);

  async function fetchPage(key: PageKey, options: FetchOptions): Promise<Page> {
    options.check();
    const startedAt = clock.monotonic();
    let isCounted = false;
    const onSent = (): void => {
      // While the connection opened, the circuit may have opened too.
      options.check();
      countRequest();
    };
    const countRequest = (): void => {
      if (isCounted) return;
      isCounted = true;
      options.onRequest();
    };
    const report = (result: CallResult): void => {
      if (isCounted) reportCall(key, options.background, startedAt, result);
    };
    try {
      const response = await send(key, onSent, countRequest);
      const payload = readResponse(response, key.number, clock.now(), redact);
      report({ outcome: 'ok', status: response.status, requestId: payload.requestId });
      return toPage(key, payload);
    } catch (error) {
      if (error instanceof ApiError) {
        report({ outcome: error.code, ...error.upstream, detail: error.detail });
      }
      throw error;
    }
  }

  /**
   * Costs credits: the caller needs this page, and it is not cached.
   *
   * @param onSent Called when the request is sent; an error that it throws stops the request, and is thrown.
   * @param onNoConnection Called when there was no connection to send it on: that counts as a call too.
   */
  async function send(key: PageKey, onSent: () => void, onNoConnection: () => void): Promise<RawResponse> {
    const hasResponseBegun = watch();
    const abort = new AbortController();
    let head: Omit<RawResponse, 'body'> | undefined;
    const response = sendRequest(pool, {
      path: toRequestPath(baseUrl, key),
      headers,
      signal: abort.signal,
      onSent,
      onHead: (received) => {
        head = received;
      },
    });
    try {
      // The signal alone is not enough: undici ignores it while it waits for a connection.
      return await pTimeout(response, { milliseconds: timeoutMs, customTimers: clock.timers });
    } catch (error) {
      abort.abort();
      if (error instanceof ApiError) throw error;
      onNoConnection();
      // The status of a failure is enough, even if its body did not arrive.
      if (head && !isSuccess(head.status)) return { ...head, body: new Uint8Array() };
      throw toWireError(error, head?.status, hasResponseBegun(error));
    }
  }

  function toPage(key: PageKey, { limit, hasMore, totalCount, rows }: Payload): Page {
    const pageSize = Math.min(limit, PAGE_SIZE);
    const fetchedAt = clock.now();
    return {
      chart: key.chart,
      number: key.number,
      pageSize,
      rows: readRows(key, rows.slice(0, pageSize), fetchedAt),
      hasMore,
      totalCount,
      fetchedAt,
    };
  }

  function reportCall(key: PageKey, background: boolean, startedAt: number, result: CallResult): void {
    onEvent({
      type: 'upstreamCall',
      chart: key.chart,
      page: key.number,
      background,
      outcome: result.outcome,
      status: result.status,
      durationMs: Math.round(clock.monotonic() - startedAt),
      credits: CREDITS_PER_REQUEST,
      upstreamRequestId: result.requestId ?? undefined,
      detail: result.detail,
    });
  }

  return { fetchPage, close: () => pool.destroy() };
}

/**
 * undici's errors for a response that arrived and cannot be read, by name, code and message: a malformed header or
 * length, too many bytes, an upgrade, or an assertion of undici itself.
 */
const UNREADABLE =
  /HTTPParserError|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_|ERR_ASSERTION|bad (upgrade|response)$/;

/**
 * The error of a call without a complete response; `status` is set when its headers had arrived, `hasBegun` when any
 * byte had. When none had, KeyAPI has probably not billed the call, so it may be retried. Its credits are counted all
 * the same.
 */
function toWireError(thrown: unknown, status: number | undefined, hasBegun: boolean): ApiError {
  // undici and the deadline throw nothing but errors, but not all of them are instances of this realm's Error.
  const { name, message, code = '' } = thrown as Error & { code?: string };
  const upstream = status === undefined ? undefined : { status, code: null, requestId: null };
  const options = { upstream, detail: `${name}: ${message}`, cause: thrown };
  if (thrown instanceof TimeoutError) return new ApiError('UPSTREAM_TIMEOUT', options);
  const hasResponse = status !== undefined || UNREADABLE.test(`${name} ${code} ${message}`);
  if (hasResponse) return new ApiError('UPSTREAM_BAD_RESPONSE', options);
  const isClosing = code === 'UND_ERR_DESTROYED';
  return new ApiError('UPSTREAM_UNAVAILABLE', { ...options, allowsSecondAttempt: !hasBegun && !isClosing });
}
