import type { OperationResult } from '../graphql/execution/operationResult.ts';
import type { UpstreamExtension } from '../graphql/upstreamExtension.ts';
import type { RequestIdentity } from './http/requestIdentity.ts';

/** Events of the server, for the log, the metrics and traces. */
export type ServerEvent = ResponseEvent | RateLimitedEvent | OverloadedEvent;

/** Listens to the server's events. */
export type OnServerEvent = (event: ServerEvent) => void;

/** What a response says of its operation. */
export interface OperationSummary
  extends Pick<OperationResult, 'name' | 'operationType' | 'outcome' | 'codes'> {
  /** As in `extensions.upstream`. */
  readonly cost: Omit<UpstreamExtension, 'source'>;
}

/** A response to a request to `/graphql` is ready. */
export interface ResponseEvent extends OperationSummary {
  readonly type: 'response';
  /**
   * Where it comes from, as in the label of the metrics. `made`: executed for this request. `shared`: coalesced with an
   * identical request in flight. `kept`: from the response cache. `refused`: no operation was executed.
   */
  readonly origin: 'made' | 'shared' | 'kept' | 'refused';
  /** HTTP status. */
  readonly status: number;
  /** From when the request was read (a refused one: from when it arrived) until the response was ready. */
  readonly durationMs: number;
  readonly request: RequestIdentity;
}

/** A request was refused because its client sends too many. */
interface RateLimitedEvent {
  readonly type: 'rateLimited';
  /** The name of its API key, or its address. */
  readonly client: string;
}

/** What overloads the process. */
export type Overload = 'eventLoopDelay' | 'heap';

/** An operation was refused because the process is overloaded. */
interface OverloadedEvent {
  readonly type: 'overloaded';
  readonly overload: Overload;
}
