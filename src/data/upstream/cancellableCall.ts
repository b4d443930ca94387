import type { ApiError } from '../../domain/errors.ts';
import type { Call } from '../../domain/source.ts';

/** A call, and how to stop it as long as its request has not been sent. */
interface CancellableCall {
  readonly call: Call;
  /** @param reason What the call is rejected with. */
  readonly cancel: (reason: ApiError) => void;
}

/** The same call with a signal of its own. */
export function toCancellable(call: Call): CancellableCall {
  const controller = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, controller.signal]) : controller.signal;
  return { call: { ...call, signal }, cancel: (reason) => controller.abort(reason) };
}
