import type { Endpoint } from '../domain/endpoint.ts';

/** What is particular to one of KeyAPI's endpoints. */
export interface KeyapiEndpoint<Key, Value> extends Endpoint<Key> {
  /** Path and query of the request for a value. */
  readonly toPath: (key: Key) => string;
  /**
   * Reads the value from the JSON body of a successful response.
   *
   * @throws {Error} When it cannot be read; the message is for the log.
   */
  readonly toValue: (body: unknown, key: Key, reading: Reading) => Value;
}

/** A response that is being read. */
export interface Reading {
  /** When it arrived, in Unix milliseconds. */
  readonly fetchedAt: number;
  /** Reports fields of a row that are not among those that KeyAPI documents. */
  readonly reportFields: (row: unknown, documented: ReadonlySet<string>) => void;
  /** Reports how many rows could not be read. */
  readonly reportDropped: (count: number) => void;
}
