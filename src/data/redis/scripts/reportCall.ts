import type { ApiError } from '../../../domain/errors.ts';
import type { LimitScope } from '../../upstream/callPause.ts';
import circuit from './circuit.lua';
import { encodeError } from './errorRecord.ts';
import limits from './limits.lua';
import { keysOfLimits } from './redisKeys.ts';
import reportCallLua from './reportCall.lua';
import { defineScript, type RunScript } from './script.ts';
import spending from './spending.lua';

const script = defineScript('reportCall', circuit, limits, spending, reportCallLua);

/** An error that stops calls for a time. */
interface Stop {
  readonly error: ApiError;
  readonly ms: number;
}

/** An error that opens the circuit of its scope. */
interface Opening extends Stop {
  readonly scope: LimitScope;
  /** That of an endpoint is open for twice as long after each further refusal in a row, up to this. */
  readonly maxMs: number;
}

/** What a call means for later ones. */
export interface CallState {
  /** `answered`: with an error that stops no other calls. `unconnected`: it failed, and was not sent. */
  readonly state: 'unsent' | 'sent' | 'succeeded' | 'answered' | 'refused' | 'failed' | 'unconnected';
  /** Opens a circuit: at once after a refusal, after a failure when enough calls in a row have failed. */
  readonly stop?: Opening | undefined;
  /** For how long upstream asked to stop the calls to the endpoint. */
  readonly pause?: Stop | undefined;
}

/** A circuit that has changed: opened by the call's `stop`, opened by its `pause`, or closed. */
export interface CircuitChange {
  readonly scope: LimitScope;
  readonly change: 'opened' | 'paused' | 'closed';
  /** For how long it is open. */
  readonly ms: number;
}

/** What has become of a report. */
interface Reported {
  /** Credits spent on the day that the call was paid on; undefined when that is another day, or not known. */
  readonly spent: number | undefined;
  readonly changes: readonly CircuitChange[];
}

/** Reports the state of a reserved call. */
export async function reportCall(
  run: RunScript,
  options: {
    /** Name of the endpoint. */
    readonly endpoint: string;
    readonly token: string;
    readonly call: CallState;
    /** How long the call may take once it is sent. */
    readonly attemptMs: number;
    /** How long it counts after its response. */
    readonly windowMs: number;
    /** What was reserved, of the budget of that day: released when the call was not sent. */
    readonly credits: number;
    readonly day: number;
    /** Failures in a row that open the circuit of the endpoint. */
    readonly maxFailures: number;
  },
): Promise<Reported> {
  const { endpoint, token, call, attemptMs, windowMs, credits, day, maxFailures } = options;
  const { state, stop, pause } = call;
  const stopped = stop && [stop.scope, encodeError(stop.error), stop.ms, stop.maxMs];
  const paused = pause ? [encodeError(pause.error), pause.ms] : [undefined, undefined];
  const args = [token, state, attemptMs, windowMs, credits, day, maxFailures, ...paused, ...(stopped ?? [])];
  const [spent, ...words] = await run(script, keysOfLimits(endpoint), args);
  return { spent: Number(spent) < 0 ? undefined : Number(spent), changes: toChanges(words) };
}

/** Three words for each change. */
function toChanges(words: readonly unknown[]): CircuitChange[] {
  return Array.from({ length: words.length / 3 }, (_, index) => {
    const [scope, change, ms] = words.slice(index * 3, index * 3 + 3);
    return {
      scope: String(scope) as LimitScope,
      change: String(change) as CircuitChange['change'],
      ms: Number(ms),
    };
  });
}
