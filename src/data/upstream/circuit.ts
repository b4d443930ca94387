import type { Clock } from '../../domain/clock.ts';
import { ApiError, repeatError } from '../../domain/errors.ts';
import { type Call, withSignal } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import type { OpenCircuit } from './limitsState.ts';

/** See `createCircuit`. */
export interface CircuitOptions {
  /** Name of the endpoint; undefined for the account. */
  readonly endpoint?: string | undefined;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** A pause in calls. */
export interface Opening {
  /** The error that calls are rejected with. */
  readonly error: ApiError;
  /** When a probe is due, on the monotonic clock. */
  readonly until: number;
}

/** Whether calls are stopped, and why: all that are paid for by the account, or those to one endpoint. */
export interface Circuit {
  /** The opening that stops calls now. */
  current(): Opening | undefined;
  /** The same, also when its probe is due; undefined when the circuit was closed since. */
  latest(): Opening | undefined;
  /** For readiness and metrics: empty while calls are allowed. */
  state(): OpenCircuit[];
  /** @throws {ApiError} While calls are stopped: the error that opened the circuit, with the time that is left now. */
  throwIfOpen(): void;
  /**
   * Stops calls for `ms`. Those that wait for their turn or for a connection are rejected too, even if their turn would
   * come after the pause.
   *
   * @param isReported False when another circuit emits the event.
   */
  stopCalls(error: ApiError | undefined, ms: number, isReported?: boolean): void;
  /** Allows calls again. */
  close(): void;
  /** Runs a call, which is rejected when the circuit opens before its request is sent. */
  run<Value>(call: Call, run: (call: Call) => Promise<Value>): Promise<Value>;
}

/** For how long failures in a row open a circuit. */
export const FAILURE_SECONDS = 30;

/** Creates a circuit, which is closed. */
export function createCircuit({ endpoint, clock, onEvent }: CircuitOptions): Circuit {
  let opening: Opening | undefined;
  /** Cancel the calls that are in progress; calls that were already sent continue. */
  const cancels = new Set<(reason: ApiError) => void>();

  const current = (): Opening | undefined =>
    opening && clock.monotonic() < opening.until ? opening : undefined;

  function toError({ error, until }: Opening): ApiError {
    if (error.retryAfterSeconds === undefined) return repeatError(error);
    return repeatError(error, Math.max(1, Math.ceil((until - clock.monotonic()) / 1000)));
  }

  function throwIfOpen(): void {
    const open = current();
    if (open) throw toError(open);
  }

  return {
    current,
    latest: () => opening,
    state: () => {
      const open = current();
      return open ? [{ endpoint, code: open.error.code }] : [];
    },
    throwIfOpen,
    stopCalls: (error = toUnavailable(), ms, isReported = true) => {
      // The other calls in flight may fail in the same way.
      const hasChanged = current()?.error.code !== error.code;
      const stopped = { error, until: clock.monotonic() + ms };
      opening = stopped;
      for (const cancel of cancels) cancel(toError(stopped));
      if (hasChanged && isReported)
        onEvent({ type: 'circuitOpened', endpoint, code: error.code, seconds: Math.ceil(ms / 1000) });
    },
    close: () => {
      if (!opening) return;
      opening = undefined;
      onEvent({ type: 'circuitClosed', endpoint });
    },
    run: async (call, run) => {
      throwIfOpen();
      const controller = new AbortController();
      const cancel = (reason: ApiError): void => controller.abort(reason);
      cancels.add(cancel);
      try {
        return await run(withSignal(call, controller.signal));
      } finally {
        cancels.delete(cancel);
      }
    },
  };
}

/** The error for calls that are stopped after failures. */
export function toUnavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}
