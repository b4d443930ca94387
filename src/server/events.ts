import type { Overload } from './protection/overload.ts';

/** What the server tells of. */
export type ServerEvent = AnswerEvent | RateLimitedEvent | OverloadedEvent;

/** An operation was answered. */
export interface AnswerEvent {
  readonly type: 'answer';
  /**
   * `made`: it was executed for this request. `shared`: for another one that was the same and under way. `kept`: it
   * was there.
   */
  readonly origin: 'made' | 'shared' | 'kept';
  /** HTTP status. */
  readonly status: number;
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
