import type { Clock } from '../../domain/clock.ts';
import type { ApiError } from '../../domain/errors.ts';
import type { OnDataEvent } from '../events.ts';
import { type OpenCircuit, toOpenError, toUnavailable } from '../upstream/circuitBreaker.ts';

/** What this replica knows of a circuit that all replicas share. */
export class CircuitCopy {
  readonly #clock: Clock;
  readonly #onEvent: OnDataEvent;
  #open: OpenCircuit | undefined;
  /** Cancels the calls that are in progress; those that were sent go on. */
  readonly cancels = new Set<(reason: ApiError) => void>();

  constructor(
    /** Key of the circuit in Redis. */
    readonly key: string,
    { clock, onEvent }: { readonly clock: Clock; readonly onEvent: OnDataEvent },
  ) {
    this.#clock = clock;
    this.#onEvent = onEvent;
  }

  /** Why the circuit is open; undefined while calls, or a probe, are allowed. */
  get open(): OpenCircuit | undefined {
    return this.#open && this.#clock.monotonic() < this.#open.until ? this.#open : undefined;
  }

  /** @throws {ApiError} While the circuit is open. */
  throwIfOpen(): void {
    const { open } = this;
    if (open) throw toOpenError(open, this.#clock);
  }

  /** @param isReported False for what this replica's own circuit breaker emits events of. */
  recordOpening(error: ApiError = toUnavailable(), ms: number, isReported = true): void {
    const hasChanged = this.open?.error.code !== error.code;
    this.#open = { error, until: this.#clock.monotonic() + ms };
    for (const cancel of this.cancels) cancel(toOpenError(this.#open, this.#clock));
    if (hasChanged && isReported)
      this.#onEvent({ type: 'circuitOpened', code: error.code, seconds: Math.ceil(ms / 1000) });
  }

  /** Records that it is closed, unless that is known. */
  recordClosing(): void {
    if (!this.#open) return;
    this.#open = undefined;
    this.#onEvent({ type: 'circuitClosed' });
  }
}
