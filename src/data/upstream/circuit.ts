import type { Clock } from '../../domain/clock.ts';
import { ApiError, repeatError } from '../../domain/errors.ts';
import { type Call, withSignal } from '../../domain/source.ts';
import type { OnDataEvent } from '../events.ts';
import type { OpenCircuit } from './limitsState.ts';

/** An opening of a circuit. */
interface Opening {
  /** The error that calls are rejected with. */
  readonly error: ApiError;
  /** When a probe is due, on the monotonic clock. */
  readonly until: number;
}

/** See `Circuit`. */
export interface CircuitOptions {
  /** Name of the endpoint; undefined for the account. */
  readonly endpoint?: string | undefined;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** For how long failures in a row open a circuit. */
export const FAILURE_SECONDS = 30;

/** Whether calls are stopped, and why: all that are paid for by the account, or those to one endpoint. */
export class Circuit {
  readonly endpoint: string | undefined;
  readonly #clock: Clock;
  readonly #onEvent: OnDataEvent;
  #opening: Opening | undefined;
  /** Cancel the calls that are in progress; those that were sent go on. */
  readonly #cancels = new Set<(reason: ApiError) => void>();

  constructor({ endpoint, clock, onEvent }: CircuitOptions) {
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** The latest opening, also when its probe is due; undefined when the circuit was closed since. */
  get opening(): Opening | undefined {
    return this.#opening;
  }

  /** The opening, as long as it stops all calls. */
  get open(): Opening | undefined {
    return this.#opening && this.#clock.monotonic() < this.#opening.until ? this.#opening : undefined;
  }

  /** @throws {ApiError} While the circuit is open: the error that opened it, with the time that is left now. */
  throwIfOpen(): void {
    const { open } = this;
    if (open) throw this.#toError(open);
  }

  /**
   * Stops all calls for `ms`, also those that wait for their turn or for a connection.
   *
   * @param isReported False when another circuit emits the event.
   */
  stopCalls(error: ApiError = toUnavailable(), ms: number, isReported = true): void {
    // The other calls in flight may fail in the same way.
    const hasChanged = this.open?.error.code !== error.code;
    this.#opening = { error, until: this.#clock.monotonic() + ms };
    for (const cancel of this.#cancels) cancel(this.#toError(this.#opening));
    if (!hasChanged || !isReported) return;
    const { endpoint } = this;
    this.#onEvent({ type: 'circuitOpened', endpoint, code: error.code, seconds: Math.ceil(ms / 1000) });
  }

  /** Allows calls again. */
  close(): void {
    if (!this.#opening) return;
    this.#opening = undefined;
    this.#onEvent({ type: 'circuitClosed', endpoint: this.endpoint });
  }

  /** The endpoint and the code of the error that calls are rejected with; empty while they are allowed. */
  state(): OpenCircuit[] {
    const { endpoint, open } = this;
    return open ? [{ endpoint, code: open.error.code }] : [];
  }

  /** Runs a call, which is cancelled when the circuit opens before its request is sent. */
  async run<Value>(call: Call, run: (call: Call) => Promise<Value>): Promise<Value> {
    const controller = new AbortController();
    const cancel = (reason: ApiError): void => controller.abort(reason);
    this.#cancels.add(cancel);
    try {
      return await run(withSignal(call, controller.signal));
    } finally {
      this.#cancels.delete(cancel);
    }
  }

  #toError({ error, until }: Opening): ApiError {
    if (error.retryAfterSeconds === undefined) return repeatError(error);
    return repeatError(error, Math.max(1, Math.ceil((until - this.#clock.monotonic()) / 1000)));
  }
}

/** The error for calls that are stopped after failures. */
export function toUnavailable(): ApiError {
  return new ApiError('UPSTREAM_UNAVAILABLE', { retryAfterSeconds: FAILURE_SECONDS });
}
