import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError, type ErrorCode } from '../../domain/errors.ts';
import type { Source } from '../../domain/source.ts';
import type { AccountLimit } from './accountLimit.ts';
import { toAccountPause, toCallPause, toPauseSeconds } from './callPause.ts';
import {
  type Circuit,
  type CircuitOptions,
  createCircuit,
  FAILURE_SECONDS,
  type Opening,
  toUnavailable,
} from './circuit.ts';

/** Stops calls while none can succeed. Rejects them with the error that opened its circuit. */
interface CircuitBreaker<Protect> {
  readonly protect: Protect;
  readonly circuit: Circuit;
}

/** Wraps a source of one endpoint. */
type EndpointLimit<Key> = <Value>(source: Source<Key, Value>) => Source<Key, Value>;

/** Clock and listener of a circuit breaker. */
type BreakerOptions = Pick<CircuitOptions, 'clock' | 'onEvent'>;

/** A call whose request was sent, or that got no connection. */
interface AttemptedCall {
  /** Undefined when it succeeded. */
  readonly error: ApiError | undefined;
  /** The opening of this circuit that it probed. */
  readonly probed: Opening | undefined;
  /** True when it probed the circuit of the account. */
  readonly isAccountProbe: boolean;
  /** Closes the circuit if the call probed it. One that was no probe may have been sent before the circuit opened. */
  readonly close: () => void;
}

/** Errors that mean that upstream itself fails. */
const FAILURES: ReadonlySet<ErrorCode> = new Set([
  'UPSTREAM_ERROR',
  'UPSTREAM_TIMEOUT',
  'UPSTREAM_UNAVAILABLE',
]);
/** Failures in a row that open the circuit of an endpoint. */
export const MAX_FAILURES = 5;

/**
 * Creates the circuit breaker of the account: it opens for a minute after a 401 or 402, and for as long as a 429 asks
 * for. Then one call is made as a probe, while the others wait for its outcome: it closes the circuit, or opens it again.
 * Calls that were not made change nothing.
 */
export function createAccountBreaker(options: BreakerOptions): CircuitBreaker<AccountLimit> {
  const circuit = createCircuit(options);
  const open = createOpener(circuit, options);
  const protect = protectBy(circuit, ({ error, close }) => {
    const pause = error && toAccountPause(error);
    if (error && pause) open(error, pause.seconds);
    // A failing endpoint says nothing about the account.
    else if (!error || !isUpstreamFailure(error)) close();
  });
  return { circuit, protect };
}

/**
 * Creates the circuit breaker of an endpoint: it opens for 30 seconds after 5 failures in a row, for a minute or longer
 * after a refusal (`Endpoint.pauses`), and at least for as long as another error asks for (`Retry-After`). Then one call probes, as for the account. A failing
 * probe of the account opens it too.
 */
export function createEndpointBreaker<Key>(
  endpoint: Endpoint<Key>,
  options: BreakerOptions,
): CircuitBreaker<EndpointLimit<Key>> {
  const circuit = createCircuit({ ...options, endpoint: endpoint.name });
  const open = createOpener(circuit, options);
  let failures = 0;
  let refusals = 0;
  const protect = protectBy(circuit, ({ error, probed, isAccountProbe, close }) => {
    const pause = error && toCallPause(error, endpoint);
    // A refused account says nothing about the endpoint.
    if (pause?.scope === 'account') return;
    if (error && pause) {
      // Those that were in flight together are one refusal.
      if (refusals === 0 || !circuit.current()) refusals++;
      return open(error, toPauseSeconds(pause, refusals));
    }
    if (!error) refusals = 0;
    const isFailure = error !== undefined && isUpstreamFailure(error);
    failures = isFailure ? failures + 1 : 0;
    const isTooMany = failures >= MAX_FAILURES && !circuit.current();
    const isProbe = isAccountProbe || (probed !== undefined && !isRequestedPause(probed));
    const seconds = (isFailure && isProbe) || isTooMany ? FAILURE_SECONDS : 0;
    const { retryAfterSeconds = 0 } = error ?? {};
    if (seconds > retryAfterSeconds) open(toUnavailable(), seconds);
    else if (error && retryAfterSeconds > 0) open(error, retryAfterSeconds);
    // After a pause that upstream asked for, a failure is only counted: it does not open the circuit again.
    else if (!isFailure || (probed && isRequestedPause(probed))) close();
  });
  return { circuit, protect };
}

/** Whether an endpoint was stopped only because upstream asked for it (`Retry-After`): failures have another code. */
export function isRequestedPause({ error: { code, retryAfterSeconds } }: Opening): boolean {
  return (code === 'UPSTREAM_ERROR' || code === 'UPSTREAM_BAD_RESPONSE') && retryAfterSeconds !== undefined;
}

/** Opens a circuit, unless it is open for longer. */
function createOpener(
  circuit: Circuit,
  { clock }: BreakerOptions,
): (error: ApiError, seconds: number) => void {
  return (error, seconds) => {
    const until = clock.monotonic() + seconds * 1000;
    if ((circuit.latest()?.until ?? 0) <= until) circuit.stopCalls(error, seconds * 1000);
  };
}

/** Creates the function that wraps sources: all that it wraps share the circuit and its probes. */
function protectBy(
  circuit: Circuit,
  record: (call: AttemptedCall) => void,
): <Key, Value>(source: Source<Key, Value>) => Source<Key, Value> {
  let probe: Promise<unknown> | undefined;

  return (source) => {
    const run: typeof source = async (key, call) => {
      const probed = circuit.latest();
      const isAccountProbe = call.isProbe === true;
      const isProbe = isAccountProbe || probed !== undefined;
      const close = (): void => {
        if (probed && circuit.latest() === probed) circuit.close();
      };
      try {
        const value = await circuit.run(call, (cancellable) => source(key, { ...cancellable, isProbe }));
        record({ error: undefined, probed, isAccountProbe, close });
        return value;
      } catch (error) {
        if (error instanceof ApiError && error.isCallFailure)
          record({ error, probed, isAccountProbe, close });
        throw error;
      }
    };
    return async (key, call) => {
      while (circuit.latest()) {
        circuit.throwIfOpen();
        if (!probe) {
          const value = run(key, call);
          probe = value
            .catch(() => undefined)
            .finally(() => {
              probe = undefined;
            });
          return value;
        }
        await probe;
      }
      return run(key, call);
    };
  };
}

/**
 * Whether an error means that upstream itself fails. A response with another status does not, nor does one whose body
 * cannot be read: they show that it responds, and other keys may be fine.
 */
export function isUpstreamFailure({ code, upstream }: ApiError): boolean {
  return FAILURES.has(code) || (code === 'UPSTREAM_BAD_RESPONSE' && !upstream);
}
