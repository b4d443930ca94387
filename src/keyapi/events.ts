import type { Chart } from '../domain/chart.ts';
import type { ErrorCode } from '../domain/errors.ts';

/** What happens on the wire, for whoever logs or counts it. Never carries the token. */
export type KeyapiEvent = UpstreamCallEvent | RowsDroppedEvent | UnknownFieldEvent;

/** A request was sent, and paid for, whatever came of it. */
export interface UpstreamCallEvent {
  readonly type: 'upstreamCall';
  readonly chart: Chart;
  readonly page: number;
  /** True for a refresh that no operation waits for. */
  readonly background: boolean;
  readonly outcome: 'ok' | ErrorCode;
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined;
  readonly durationMs: number;
  readonly credits: number;
  /** KeyAPI's id of the request, where its answer had one. */
  readonly upstreamRequestId: string | undefined;
  /** Why it failed, in KeyAPI's or the network's words. */
  readonly detail: string | undefined;
}

/** Rows of a page could not be read; their ranks stay empty. */
export interface RowsDroppedEvent {
  readonly type: 'rowsDropped';
  readonly chart: Chart;
  readonly page: number;
  readonly count: number;
}

/** A row has a field that was never seen before, in this process: KeyAPI may have added something. */
export interface UnknownFieldEvent {
  readonly type: 'unknownField';
  readonly field: string;
}

/** Listens to the wire. */
export type OnKeyapiEvent = (event: KeyapiEvent) => void;
