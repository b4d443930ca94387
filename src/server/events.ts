import type { UpstreamExtension } from '../graphql/upstreamExtension.ts';
import type { Overload } from './protection/overload.ts';
import type { RequestIdentity } from './http/requestIdentity.ts';

/** What the server tells of. */
export type ServerEvent = AnswerEvent | RateLimitedEvent | OverloadedEvent;

/** Listens to what the server tells of. */
export type OnServerEvent = (event: ServerEvent) => void;

/** What an answer is, for whoever tells of it. */
export interface AnswerAccount {
  /** The operation's name; undefined when it has none, or when no operation was made out. */
  readonly name: string | undefined;
  /** `partial`: some fields failed. `error`: nothing else is in it. */
  readonly outcome: 'ok' | 'partial' | 'error';
  /** The codes of its errors, each once. */
  readonly codes: readonly string[];
  /** What it says that it cost. */
  readonly cost: Omit<UpstreamExtension, 'source'>;
}

/** A request to `/graphql` was answered. */
export interface AnswerEvent extends AnswerAccount {
  readonly type: 'answer';
  /**
   * `made`: it was executed for this request. `shared`: for another one that was the same and under way. `kept`: it
   * was there. `refused`: the request became no operation.
   */
  readonly origin: 'made' | 'shared' | 'kept' | 'refused';
  /** HTTP status. */
  readonly status: number;
  /** From when the request was read, of one that is refused from its start, until the answer was there to be sent. */
  readonly durationMs: number;
  readonly request: RequestIdentity;
}

/** A request was refused because its client sends too many. */
export interface RateLimitedEvent {
  readonly type: 'rateLimited';
  /** The name of its API key, or its address. */
  readonly client: string;
}

/** An operation was refused because the process has too much to do. */
export interface OverloadedEvent {
  readonly type: 'overloaded';
  readonly overload: Overload;
}
