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
