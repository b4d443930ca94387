import pTimeout, { TimeoutError } from 'p-timeout';
import { Pool } from 'undici';
import type { Clock } from '../domain/clock.ts';
import { ApiError, type UpstreamResponse } from '../domain/errors.ts';
import type { Call, Source } from '../domain/source.ts';
import { createConnections } from './connections.ts';
import type { KeyapiEndpoint } from './endpoint.ts';
import { isSuccess, type RawResponse, readEnvelope, toBadResponse } from './envelope.ts';
import type { OnKeyapiEvent, UpstreamCallEvent } from './events.ts';
import { createRoute } from './route.ts';
import { sendRequest } from './sendRequest.ts';
import { createFieldReporter } from './unknownFields.ts';

/** Address of KeyAPI, credentials, and limits of a call. */
interface KeyapiClientOptions {
  readonly baseUrl: URL;
  /** The proxy that leads to it, with its credentials; undefined for none. */
  readonly proxy: URL | undefined;
  readonly token: string | undefined;
  /** Deadline of one attempt, from its start to the last byte of the response. */
  readonly timeoutMs: number;
  /** Connections in the pool: the most requests in flight at once. */
  readonly connections: number;
  readonly clock: Clock;
  readonly onEvent: OnKeyapiEvent;
}

/** A client of KeyAPI, with its connections. */
export interface KeyapiClient {
  /** The source of an endpoint: each call is one request, charged at the price of the endpoint. */
  source<Key, Value>(endpoint: KeyapiEndpoint<Key, Value>): Source<Key, Value>;
  close(): Promise<void>;
}

interface CallResult extends Partial<Pick<UpstreamResponse, 'status' | 'requestId'>> {
  readonly outcome: UpstreamCallEvent['outcome'];
  readonly detail?: string | undefined;
}

const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/** Creates a client of KeyAPI. It does not follow redirects. */
export function createKeyapiClient(options: KeyapiClientOptions): KeyapiClient {
  const { baseUrl, proxy, token, timeoutMs, connections, clock, onEvent } = options;
  const route = createRoute(baseUrl, proxy, clock.timers);
  const { connect, watch } = createConnections(route.openConnection);
  const pool = new Pool(route.origin, {
    connections,
    connect,
    maxResponseSize: MAX_RESPONSE_BYTES,
    // Off, because the attempt has a deadline of its own: these two would not stop a response that drips.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const headers = {
    ...route.headers,
    accept: 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  /** Removes the token from KeyAPI's texts, before they are logged or sent to a client. */
  const redact = (text: string): string => (token === undefined ? text : text.replaceAll(token, '[token]'));
  const basePath = route.pathPrefix + baseUrl.pathname.replace(/\/+$/, '');

  function source<Key, Value>(endpoint: KeyapiEndpoint<Key, Value>): Source<Key, Value> {
    const reportFields = createFieldReporter(
      (field) => onEvent({ type: 'unknownField', endpoint: endpoint.name, field }),
      redact,
    );

    return async (key, call) => {
      call.signal?.throwIfAborted();
      const startedAt = clock.monotonic();
      const labels = { endpoint: endpoint.name, key: endpoint.describe(key) };
      const { background } = call;
      const durationMs = (): number => Math.round(clock.monotonic() - startedAt);
      const report = ({ outcome, status, requestId, detail }: CallResult): void =>
        onEvent({
          type: 'upstreamCall',
          ...labels,
          background,
          outcome,
          status,
          durationMs: durationMs(),
          credits: endpoint.credits,
          upstreamRequestId: requestId ?? undefined,
          detail,
        });
      const reportDropped = (count: number): void => onEvent({ type: 'rowsDropped', ...labels, count });
      try {
        const response = await send(basePath + endpoint.toPath(key), call);
        const { body, upstream } = readEnvelope(response, clock.now(), redact);
        const reading = { fetchedAt: clock.now(), reportFields, reportDropped };
        const value = readPayload(() => endpoint.toValue(body, key, reading), upstream);
        report({ outcome: 'ok', ...upstream });
        return value;
      } catch (error) {
        if (error instanceof ApiError) {
          const { code, detail, wasSent, hadNoConnection, upstream } = error;
          if (wasSent) report({ outcome: code, ...upstream, detail });
          if (hadNoConnection)
            onEvent({
              type: 'connectionFailed',
              ...labels,
              background,
              code,
              durationMs: durationMs(),
              detail,
            });
        }
        throw error;
      }
    };
  }

  /** Costs credits: the caller needs this value, and it is not cached. */
  async function send(path: string, call: Call): Promise<RawResponse> {
    const hasResponseBegun = watch();
    const abort = new AbortController();
    let isSent = false;
    let head: Omit<RawResponse, 'body'> | undefined;
    const onSent = (): void => {
      // A signal that was aborted while the connection opened stops the request, one that is aborted later does not.
      call.signal?.throwIfAborted();
      isSent = true;
      call.onSent();
    };
    const response = sendRequest(pool, {
      path,
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
      // The status of a failure is enough, even if its body did not arrive.
      if (head && !isSuccess(head.status)) return { ...head, body: new Uint8Array() };
      throw toWireError(error, { isSent, status: head?.status, hasBegun: hasResponseBegun(error) });
    }
  }

  return {
    source,
    close: async () => {
      await pool.destroy();
      route.close();
    },
  };
}

/** @throws {ApiError} `UPSTREAM_BAD_RESPONSE` when the payload cannot be read. */
function readPayload<Value>(read: () => Value, upstream: UpstreamResponse): Value {
  try {
    return read();
  } catch (error) {
    // The response was paid for, whatever the error is: report it as sent, so that it is not bought again at once.
    throw toBadResponse(upstream, (error as Error).message, error);
  }
}

/**
 * undici's errors for a response that arrived and cannot be read, by name, code and message: a malformed header or
 * length, too many bytes, an upgrade, or an assertion of undici itself.
 */
const UNREADABLE =
  /HTTPParserError|UND_ERR_HEADERS_OVERFLOW|UND_ERR_RES_|ERR_ASSERTION|bad (upgrade|response)$/;

/** How far a request got. */
interface RequestProgress {
  /** False when it got no connection. */
  readonly isSent: boolean;
  /** Undefined when the headers of the response had not arrived. */
  readonly status: number | undefined;
  /** True when any byte of the response had arrived. */
  readonly hasBegun: boolean;
}

/**
 * The error of a call without a complete response. When no byte of it had arrived, KeyAPI has probably not billed the
 * call, so it may be retried. Its credits are still counted, unless the request was not sent at all.
 */
function toWireError(thrown: unknown, { isSent, status, hasBegun }: RequestProgress): ApiError {
  // undici and the deadline throw nothing but errors, but not all of them are instances of this realm's Error.
  const { name, message, code = '' } = thrown as Error & { code?: string };
  const upstream = status === undefined ? undefined : { status, code: null, requestId: null };
  // Ours, not upstream's failure: the client is being closed.
  const isClosing = code === 'UND_ERR_DESTROYED';
  const options = {
    upstream,
    detail: `${name}: ${message}`,
    wasSent: isSent,
    hadNoConnection: !isSent && !isClosing,
    cause: thrown,
  };
  if (thrown instanceof TimeoutError) return new ApiError('UPSTREAM_TIMEOUT', options);
  const hasResponse = status !== undefined || UNREADABLE.test(`${name} ${code} ${message}`);
  if (hasResponse) return new ApiError('UPSTREAM_BAD_RESPONSE', options);
  return new ApiError('UPSTREAM_UNAVAILABLE', { ...options, allowsSecondAttempt: !hasBegun && !isClosing });
}
