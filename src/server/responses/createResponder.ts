import { after } from '../../graphql/execution/after.ts';
import type { ExecuteOperation } from '../../graphql/execution/operationResult.ts';
import { refuseForNow } from '../errors/refusal.ts';
import type { OnServerEvent, Overload, ResponseEvent } from '../events.ts';
import type { GraphqlRequest } from '../http/exchange.ts';
import type { CheckOverload } from '../protection/overload.ts';
import { type BuildResponseOptions, type BuiltResponse, buildResponse } from './buildResponse.ts';
import type { HttpResponse } from './httpResponse.ts';
import { hasSameBody, type RequestKey, toRequestKey } from './requestKey.ts';
import type { ResponseCache } from './responseCache.ts';
import { toOperationRequest } from './toOperationRequest.ts';

/** See `createResponder`. */
export interface ResponderOptions extends BuildResponseOptions {
  /** Starts an operation, whose deadline counts from now. */
  readonly startOperation: () => ExecuteOperation;
  /** Parses a body; throws when it is not JSON. */
  readonly parse: (body: Buffer) => unknown;
  /** Undefined: every request is executed by itself. */
  readonly responseCache: ResponseCache | undefined;
  readonly checkOverload: CheckOverload;
  readonly onEvent: OnServerEvent;
}

/** A response that is ready to be sent. */
export interface ServedResponse {
  readonly response: HttpResponse;
  readonly origin: ResponseEvent['origin'];
}

/** Responds to a request: at once when the response is cached. */
export type Responder = (request: GraphqlRequest) => ServedResponse | Promise<ServedResponse>;

/** A request that is being executed. */
interface Running {
  readonly key: RequestKey;
  readonly response: Promise<BuiltResponse>;
}

/** `Retry-After` while overloaded. */
const OVERLOAD_SECONDS = 2;

/** The settings of the overload limits. */
const OVERLOAD_SETTINGS = {
  eventLoopDelay: 'MAX_EVENT_LOOP_DELAY_MS',
  heap: 'MAX_HEAP_PERCENT',
} as const satisfies Record<Overload, string>;

/**
 * Responds to requests to `/graphql`.
 *
 * - A cached response is found by the request's bytes: its body is not parsed.
 * - Identical requests that arrive while one is being executed are coalesced: they wait for its response. Responses
 *   with errors are not reused: the error may be due to the first request's deadline.
 * - While overloaded, requests that are neither cached nor in flight are refused.
 */
export function createResponder(options: ResponderOptions): Responder {
  const { startOperation, parse, responseCache, checkOverload, onEvent } = options;

  function run(request: GraphqlRequest, execute: ExecuteOperation): BuiltResponse | Promise<BuiltResponse> {
    refuseOverload();
    const operation = toOperationRequest(request, request.body && parse(request.body));
    return after(execute(operation), (executed) =>
      buildResponse(executed, options, request.method === 'POST'),
    );
  }

  function refuseOverload(): void {
    const overload = checkOverload();
    if (!overload) return;
    onEvent({ type: 'overloaded', overload });
    const message = `This server is overloaded (${OVERLOAD_SETTINGS[overload]})`;
    throw refuseForNow(503, message, 'OVERLOADED', OVERLOAD_SECONDS);
  }

  if (!responseCache) {
    return (request) =>
      after(run(request, startOperation()), ({ response }) => ({ response, origin: 'made' }));
  }

  const inFlight = new Map<string, Running>();

  /**
   * Caches the response, unless it must not be, or is not worth it: storing responses that are evicted before they are requested
   * again takes longer than executing their operations.
   */
  function toServed(
    key: RequestKey,
    { response, reusable }: BuiltResponse,
    cache: ResponseCache,
  ): ServedResponse {
    if (reusable?.freshness && (!reusable.isFree || cache.hasRoomFor(key, response.body.length)))
      cache.set(key, reusable.freshness, reusable.cached);
    return { response, origin: 'made' };
  }

  function runAndCache(
    key: RequestKey,
    request: GraphqlRequest,
    execute: ExecuteOperation,
    cache: ResponseCache,
  ): ServedResponse | Promise<ServedResponse> {
    const running = run(request, execute);
    if (!(running instanceof Promise)) return toServed(key, running, cache);
    const entry = { key, response: running };
    inFlight.set(key.text, entry);
    const forget = (): void => {
      if (inFlight.get(key.text) === entry) inFlight.delete(key.text);
    };
    const serving = running.then((built) => toServed(key, built, cache));
    serving.then(forget, forget);
    return serving;
  }

  return (request) => {
    const key = toRequestKey(request);
    const cached = responseCache.get(key);
    if (cached) return { response: cached, origin: 'kept' };
    // The operation's deadline starts here, also when it is spent on waiting for another request's response.
    const execute = startOperation();
    const runThis = () => runAndCache(key, request, execute, responseCache);
    const other = inFlight.get(key.text);
    if (!other || !hasSameBody(other.key, key)) return runThis();
    return other.response.then(
      ({ reusable }) => (reusable ? { response: reusable.coalesced(), origin: 'shared' } : runThis()),
      runThis,
    );
  };
}
