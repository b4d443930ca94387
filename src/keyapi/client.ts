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

/** Where KeyAPI is, who we are there, and the limits of a call. */
export interface KeyapiClientOptions {
  readonly baseUrl: URL;
  readonly token: string | undefined;
  /** Deadline of one attempt, from its start to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Connections in the pool: the most requests that are under way at once. */
  readonly connections: number;
  readonly clock: Clock;
  readonly onEvent: OnKeyapiEvent;
}

/** KeyAPI's trending videos, and the connections to it. */
export interface KeyapiClient {
  /** Buys one page: each call is one request, 2 credits. */
  readonly fetchPage: PageSource;
  readonly close: () => Promise<void>;
}

interface CallResult extends Partial<Pick<UpstreamResponse, 'status' | 'requestId'>> {
  readonly outcome: UpstreamCallEvent['outcome'];
  readonly detail?: string | undefined;
}

const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** A client of KeyAPI's trending videos (`GET /v1/tiktok/trending/videos`). Redirects are not followed. */
export function createKeyapiClient(options: KeyapiClientOptions): KeyapiClient {
  const { baseUrl, token, timeoutMs, connections, clock, onEvent } = options;
  const { connect, watch } = createConnections();
  const pool = new Pool(baseUrl.origin, {
    connections,
    connect,
    maxResponseSize: MAX_ANSWER_BYTES,
    // The attempt's own deadline rules; these two would not stop an answer that drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = {
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  /** Takes the token out of what KeyAPI says of a call, before it gets into the log or to a client. */
  const redact = (text: string): string => (token === undefined ? text : text.replaceAll(token, '[token]'));
  const readRows = createRowReader(redact, onEvent);

  async function fetchPage(key: PageKey, options: FetchOptions): Promise<Page> {
    options.check();
    const startedAt = clock.monotonic();
    let isSent = false;
    const onSent = (): void => {
      // Opening a connection takes a while, in which much may have become known.
      options.check();
      countRequest();
    };
    const countRequest = (): void => {
      if (isSent) return;
      isSent = true;
      options.onRequest();
    };
    const report = (result: CallResult): void => {
      if (isSent) reportCall(key, options.background, startedAt, result);
    };
    try {
      const answer = await send(key, onSent, countRequest);
      const payload = readResponse(answer, key.number, clock.now(), redact);
      report({ outcome: 'ok', status: answer.status, requestId: payload.requestId });
      return toPage(key, payload);
    } catch (error) {
      if (error instanceof ApiError) {
        report({ outcome: error.code, ...error.upstream, detail: error.detail });
      }
      throw error;
    }
  }

  /**
   * Spends: the caller wants this page and nobody holds it.
   *
   * @param onSent Called as the request leaves; what it throws stops it, and is thrown.
   * @param onUnsent Called when there was no connection to send it on: that counts like any other call.
   */
  async function send(key: PageKey, onSent: () => void, onUnsent: () => void): Promise<RawResponse> {
    const hasAnswerBegun = watch();
    const abort = new AbortController();
    let head: Omit<RawResponse, 'body'> | undefined;
    const answer = sendRequest(pool, {
      path: toRequestPath(baseUrl, key),
      headers,
      signal: abort.signal,
      onSent,
      onHead: (received) => {
        head = received;
      },
    });
    try {
      // Not by the signal alone: undici waits for its connection before it minds that.
      return await pTimeout(answer, { milliseconds: timeoutMs, customTimers: clock.timers });
    } catch (error) {
      abort.abort();
      if (error instanceof ApiError) throw error;
      onUnsent();
      // The status of a failure says enough, whatever became of its body.
      if (head && !isSuccess(head.status)) return { ...head, body: new Uint8Array() };
      throw toWireError(error, head?.status, hasAnswerBegun(error));
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
 * What undici says of an answer that came and cannot be read, by name, code and message: a broken head or
 * length, too much of it, an upgrade, or what undici itself asserts of HTTP.
 */
const UNREADABLE =
  /HTTPParserError|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_|ERR_ASSERTION|bad (upgrade|response)$/;

/**
 * The error of a call without a whole answer; `status` is set when its headers had come, `hasBegun` when any byte
 * had. Where none had, it is taken for not billed, and may be repeated.
 */
function toWireError(thrown: unknown, status: number | undefined, hasBegun: boolean): ApiError {
  // undici and the deadline throw errors, though not all of this realm's class.
  const { name, message, code = '' } = thrown as Error & { code?: string };
  const upstream = status === undefined ? undefined : { status, code: null, requestId: null };
  const options = { upstream, detail: `${name}: ${message}`, cause: thrown };
  if (thrown instanceof TimeoutError) return new ApiError('UPSTREAM_TIMEOUT', options);
  const hasAnswer = status !== undefined || UNREADABLE.test(`${name} ${code} ${message}`);
  if (hasAnswer) return new ApiError('UPSTREAM_BAD_RESPONSE', options);
  const isClosing = code === 'UND_ERR_DESTROYED';
  return new ApiError('UPSTREAM_UNAVAILABLE', { ...options, canRetryNow: !hasBegun && !isClosing });
}
