import type { KeyFields } from '../domain/endpoint.ts';
import type { ErrorCode } from '../domain/errors.ts';

/** Events of the data layer, for the log, metrics and tests. */
export type DataEvent =
  | CallEvent
  | EmptyResponseEvent
  | CircuitEvent
  | BudgetEvent
  | FileEvent
  | RedisEvent
  | SnapshotEvent;

/** Something happened to a call to an endpoint. */
type CallEvent =
  /** It is sent again; `code` is the error of the first attempt. */
  | ({ readonly type: 'retry'; readonly code: ErrorCode; readonly pauseMs: number } & CallLabels)
  /** It is not made: too many others are waiting. */
  | ({ readonly type: 'callShed' } & CallLabels);

/**
 * A page came empty although rows of it, or of its chart, are cached, or a batch without any numbers although some of its
 * videos had some: the source may have dried up.
 */
interface EmptyResponseEvent extends CallLabels {
  readonly type: 'emptyPage' | 'emptyBatch';
}

/** Which call it is. */
interface CallLabels {
  /** Name of the endpoint. */
  readonly endpoint: string;
  readonly key: KeyFields;
}

/** A circuit opened, or closed: that of an endpoint or, without `endpoint`, that of the account. */
type CircuitEvent =
  | {
      readonly type: 'circuitOpened';
      readonly endpoint?: string | undefined;
      readonly code: ErrorCode;
      readonly seconds: number;
    }
  | { readonly type: 'circuitClosed'; readonly endpoint?: string | undefined };

/** A call was refused because the day's credits are spent, or because it is not known whether they are. */
interface BudgetEvent {
  readonly type: 'budgetRefused' | 'budgetUnknown';
  readonly retryAfterSeconds: number;
}

/** A file that survives the process was read or written, or could not be. */
type FileEvent =
  | {
      readonly type: 'cacheFileRead' | 'cacheFileWritten';
      readonly file: string;
      readonly pages: number;
      /** Videos with numbers. */
      readonly stats: number;
    }
  /** `chartDays`: days of charts with ranks. */
  | { readonly type: 'historyFileRead'; readonly file: string; readonly chartDays: number }
  | { readonly type: 'fileFailed'; readonly file: string; readonly reason: string }
  /** `isReplaced`: a new file will be written in its place. */
  | {
      readonly type: 'fileIgnored';
      readonly file: string;
      readonly reason: string;
      readonly isReplaced: boolean;
    };

/**
 * Redis is up or down. `redisDown` is emitted for every failed attempt to connect, too: `wasUp` is false then. `advice` says
 * what to do about a known mistake.
 */
type RedisEvent =
  | { readonly type: 'redisUp' }
  | {
      readonly type: 'redisDown';
      readonly wasUp: boolean;
      readonly reason: string;
      readonly advice?: string | undefined;
    };

/** Events of a chart in `SNAPSHOT_CHARTS`, whose ranks from 1 to `ranks` are recorded on each UTC day. */
type SnapshotEvent = {
  /** Its id, such as `US:7:VIEWS`. */
  readonly chart: string;
  readonly ranks: number;
} & (TakenSnapshot | MissedSnapshot);

/** This process has fetched what was missing, with so many requests on this day. */
type TakenSnapshot = { readonly type: 'snapshotTaken'; readonly pages: number };

/** The day has ended, and only so many of its ranks are known without a gap. */
type MissedSnapshot = { readonly type: 'snapshotMissed'; readonly knownRanks: number };

/** Listens to the events of the data layer. */
export type OnDataEvent = (event: DataEvent) => void;
