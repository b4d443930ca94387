import type { ErrorCode } from './errors.ts';

/**
 * A key in events, log lines and spans: by field, such as `{ chart: 'US:7:VIEWS', page: 1 }`. No name must be that of
 * another field of the events.
 */
export type KeyFields = Readonly<Record<string, string | number>>;

/** One of KeyAPI's endpoints: the properties that limits, caches and events use. */
export interface Endpoint<Key> {
  /** Its name in events, log lines and Redis. */
  readonly name: string;
  /** What KeyAPI charges for a request, whatever its outcome. */
  readonly credits: number;
  /** Of the calls that wait for their turn, those to the endpoint with the highest priority go first. */
  readonly priority: number;
  /**
   * Responses after which no call to the endpoint is made for a minute: twice as long after each further one in a row, up to
   * `maxSeconds`.
   */
  readonly pauses: { readonly codes: readonly ErrorCode[]; readonly maxSeconds: number };
  /** Identifies a key among those of the endpoint. */
  readonly toId: (key: Key) => string;
  /** What events and the log say of a key. */
  readonly describe: (key: Key) => KeyFields;
}
