import type { ApiError } from '../../../domain/errors.ts';
import type { LimitScope } from '../../upstream/callPause.ts';
import circuit from './circuit.lua';
import { encodeError } from './errorRecord.ts';
import limits from './limits.lua';
import { keysOfLimits } from './redisKeys.ts';
import reportCallLua from './reportCall.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('reportCall', circuit, limits, reportCallLua);

/** What a call means for later ones. */
export type CallState =
  | { readonly state: 'unsent' | 'sent' | 'answered' }
  /**
   * The error opens the circuit of the scope for `openMs`: at once after a refusal, and when upstream asked for a pause,
   * else when enough calls in a row have failed. `unconnected`: it failed, and was not sent.
   */
  | {
      readonly state: 'refused' | 'failed' | 'paused' | 'unconnected';
      readonly scope: LimitScope;
      readonly error: ApiError;
      readonly openMs: number;
    };

/** A circuit that has changed. */
interface CircuitChange {
  readonly scope: LimitScope;
  readonly isOpen: boolean;
}

/** Reports the state of a reserved call; returns which circuits that has opened or closed. */
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
): Promise<CircuitChange[]> {
  const { endpoint, token, call, attemptMs, windowMs, credits, day, maxFailures } = options;
  const opening = 'error' in call ? [call.scope, encodeError(call.error), call.openMs] : [];
  const args = [token, call.state, attemptMs, windowMs, credits, day, maxFailures, ...opening];
  const changes = (await run(script, keysOfLimits(endpoint), args)).map(String);
  return changes.flatMap((scope, index) =>
    index % 2 === 0 ? [{ scope: scope as LimitScope, isOpen: changes[index + 1] === 'opened' }] : [],
  );
}
