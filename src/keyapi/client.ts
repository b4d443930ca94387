import { errors, Pool } from 'undici';
import type { Clock } from '../domain/clock.ts';
import { ApiError } from '../domain/errors.ts';
import { type FetchOptions, PAGE_SIZE, type Page, type PageKey, type PageSource } from '../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../domain/upstreamCost.ts';
import { type HttpAnswer, type Payload, readAnswer } from './envelope.ts';
import type { OnKeyapiEvent } from './events.ts';
import { toRequestPath } from './request.ts';
import { createRowReader } from './rowReader.ts';

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

export interface KeyapiClient {
  /** Buys one page: each call is one request, 2 credits. */
  readonly fetchPage: PageSource;
  readonly close: () => Promise<void>;
}

const MAX_ANSWER_BYTES = 2 * 1024 * 1024;

/** A client of KeyAPI's trending videos (`GET /v1/tiktok/trending/videos`). Redirects are not followed. */
export function createKeyapiClient(options: KeyapiClientOptions): KeyapiClient {
  const { baseUrl, token, timeoutMs, connections, clock, onEvent } = options;
  const pool = new Pool(baseUrl.origin, {
    connections,
    maxResponseSize: MAX_ANSWER_BYTES,
    // The attempt's own deadline rules; these two would not stop an answer that drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = {
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const readRows = createRowReader(onEvent);

  async function fetchPage(key: PageKey, { signal, onRequest }: FetchOptions): Promise<Page> {
    const startedAt = clock.monotonic();
    let status: number | undefined;
    onRequest();
    try {
      const answer = await send(key, signal);
      status = answer.status;
      const payload = readAnswer(answer, key.number, clock.now());
      report(key, startedAt, status, payload.requestId);
      return toPage(key, payload);
    } catch (error) {
      if (error instanceof ApiError) report(key, startedAt, status, error.upstream?.requestId, error);
      throw error;
    }
  }

  /** Spends: the caller wants this page and nobody holds it. */
  async function send(key: PageKey, signal: AbortSignal): Promise<HttpAnswer> {
    const deadline = AbortSignal.timeout(timeoutMs);
    let status: number | undefined;
    try {
      const response = await pool.request({
        method: 'GET',
        path: toRequestPath(baseUrl, key),
        headers,
        signal: AbortSignal.any([signal, deadline]),
      });
      status = response.statusCode;
      const retryAfter = response.headers['retry-after'];
      return {
        status,
        retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
        body: await response.body.bytes(),
      };
    } catch (error) {
      throw toWireError(error, deadline.aborted, status);
    }
  }

  function toPage(key: PageKey, { limit, hasMore, totalCount, rows }: Payload): Page {
    const pageSize = Math.min(limit, PAGE_SIZE);
    return {
      chart: key.chart,
      number: key.number,
      pageSize,
      rows: readRows(key, rows.slice(0, pageSize)),
      hasMore,
      totalCount,
      fetchedAt: clock.now(),
    };
  }

  function report(
    key: PageKey,
    startedAt: number,
    status: number | undefined,
    requestId: string | null | undefined,
    error?: ApiError,
  ): void {
    onEvent({
      type: 'upstreamCall',
      chart: key.chart,
      page: key.number,
      outcome: error?.code ?? 'ok',
      status: status ?? error?.upstream?.status,
      durationMs: Math.round(clock.monotonic() - startedAt),
      credits: CREDITS_PER_REQUEST,
      upstreamRequestId: requestId ?? undefined,
      detail: error?.detail,
    });
  }

  return { fetchPage, close: () => pool.destroy() };
}

/** The error of a call without a whole answer; `status` is set when its headers had come. */
function toWireError(error: unknown, timedOut: boolean, status: number | undefined): ApiError {
  const detail = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (timedOut) return new ApiError('UPSTREAM_TIMEOUT', { detail, cause: error });
  const hasAnswer =
    status !== undefined ||
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseExceededMaxSizeError;
  if (!hasAnswer) return new ApiError('UPSTREAM_UNAVAILABLE', { detail, cause: error });
  const upstream = status === undefined ? undefined : { status, code: null, requestId: null };
  return new ApiError('UPSTREAM_BAD_RESPONSE', { upstream, detail, cause: error });
}
