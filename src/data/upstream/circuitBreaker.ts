import { ApiError, type ErrorCode } from '../../domain/errors.ts';
import type { Call, Source } from '../../domain/source.ts';
import { toCallPause } from './callPause.ts';
import { Circuit, type CircuitOptions, FAILURE_SECONDS, toUnavailable } from './circuit.ts';

/** Stops calls while none can succeed. */
export interface CircuitBreaker {
  /**
   * Wraps a source. Rejects while the circuit is open: with the error that opened it, or `UPSTREAM_UNAVAILABLE` after
   * failures.
   */
  protect<Key, Value>(source: Source<Key, Value>): Source<Key, Value>;
  readonly circuit: Pick<Circuit, 'state'>;
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
 * Creates a circuit breaker. That of the account, which all endpoints share, opens for a minute after a 401 or 402, and
 * for as long as a 429 asks for. That of an endpoint opens for 30 seconds after 5 failures in a row, and for a minute
 * after a 403. Then one call is made as a probe, while the others wait for its outcome: it closes the circuit, or opens
 * it again. A failing probe opens the circuit of its endpoint, whichever it probes. Calls of which no request was sent
 * change nothing.
 */
export function createCircuitBreaker(options: CircuitOptions): CircuitBreaker {
  const { endpoint, clock } = options;
  const scope = endpoint === undefined ? 'account' : 'endpoint';
  const circuit = new Circuit(options);
  let probe: Promise<unknown> | undefined;
  let failures = 0;

  function open(error: ApiError, seconds: number): void {
    const isOpenForLonger = (circuit.opening?.until ?? 0) > clock.monotonic() + seconds * 1000;
    if (!isOpenForLonger) circuit.stopCalls(error, seconds * 1000);
  }

  /**
   * @param probed The opening that the call probed. A call that was no probe may have been sent before the circuit
   * opened.
   */
  function recordResponse(probed: Circuit['opening']): void {
    failures = 0;
    if (probed && circuit.opening === probed) circuit.close();
  }

  function recordError(error: ApiError, isProbe: boolean, probed: Circuit['opening']): void {
    const pause = toCallPause(error);
    if (pause?.scope === scope) open(error, pause.seconds);
    else if (isUpstreamFailure(error)) recordFailure(isProbe);
    // A refused account says nothing about the endpoint.
    else if (pause?.scope !== 'account') recordResponse(probed);
  }

  function recordFailure(isProbe: boolean): void {
    // A failing endpoint says nothing about the account.
    if (scope === 'account') return;
    failures++;
    const isTooMany = failures >= MAX_FAILURES && !circuit.opening;
    if (isProbe || isTooMany) open(toUnavailable(), FAILURE_SECONDS);
  }

  async function run<Key, Value>(
    source: Source<Key, Value>,
    key: Key,
    call: Call,
    probed?: Circuit['opening'],
  ): Promise<Value> {
    const isProbe = call.isProbe === true || probed !== undefined;
    try {
      const value = await circuit.run(call, (cancellable) => source(key, { ...cancellable, isProbe }));
      recordResponse(probed);
      return value;
    } catch (error) {
      if (error instanceof ApiError && error.wasSent) recordError(error, isProbe, probed);
      throw error;
    }
  }

  return {
    protect: (source) => async (key, call) => {
      while (circuit.opening) {
        circuit.throwIfOpen();
        if (!probe) {
          const value = run(source, key, call, circuit.opening);
          probe = value
            .catch(() => undefined)
            .finally(() => {
              probe = undefined;
            });
          return value;
        }
        await probe;
      }
      return run(source, key, call);
    },
    circuit,
  };
}

/** Whether an error means that upstream itself fails. Other statuses do not: they show that it responds. */
export function isUpstreamFailure({ code, upstream }: ApiError): boolean {
  const isUnreadable =
    code === 'UPSTREAM_BAD_RESPONSE' && (!upstream || (upstream.status < 300 && !upstream.code));
  return FAILURES.has(code) || isUnreadable;
}
