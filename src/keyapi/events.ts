import type { KeyFields } from '../domain/endpoint.ts';
import type { ErrorCode } from '../domain/errors.ts';

/** Events of KeyAPI's client, for the log, metrics and traces. They never contain the token. */
export type KeyapiEvent = UpstreamCallEvent | ConnectionFailedEvent | RowsDroppedEvent | UnknownFieldEvent;

/** A request was sent, and paid for, whatever its outcome. */
export interface UpstreamCallEvent {
  readonly type: 'upstreamCall';
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly key: KeyFields;
  /** True for a refresh that no operation waits for. */
  readonly background: boolean;
  readonly outcome: 'ok' | ErrorCode;
  /** HTTP status; undefined without a response. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly credits: number;
  /** KeyAPI's id of the request, if its response had one. */
  readonly upstreamRequestId: string | undefined;
  /** Why it failed: KeyAPI's message, or that of the network error. */
  readonly detail: string | undefined;
}

/** No connection could be opened for a request, which was not sent, and cost nothing. */
export interface ConnectionFailedEvent {
  readonly type: 'connectionFailed';
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly key: KeyFields;
  /** True for a refresh that no operation waits for. */
  readonly background: boolean;
  readonly code: ErrorCode;
  readonly durationMs: number;
  /** The message of the network error. */
  readonly detail: string | undefined;
}

/** Rows of a response could not be read; on a chart their ranks stay empty. */
interface RowsDroppedEvent {
  readonly type: 'rowsDropped';
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly key: KeyFields;
  readonly count: number;
}

/** A row has a field that this process has not seen before: KeyAPI may have added it. */
interface UnknownFieldEvent {
  readonly type: 'unknownField';
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly field: string;
}

/** Listens to the events of KeyAPI's client. */
export type OnKeyapiEvent = (event: KeyapiEvent) => void;
