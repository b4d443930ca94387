import type { ApiError } from '../../../domain/errors.ts';
import { encodeError } from './errorRecord.ts';
import limits from './limits.lua';
import { LIMIT_KEYS } from './redisKeys.ts';
import reportCallLua from './reportCall.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('reportCall', limits, reportCallLua);

/** What a call means for later ones. */
export type CallState =
  | { readonly state: 'unsent' | 'sent' | 'answered' }
  /** The error opens the circuit for `openMs`: at once when upstream refuses calls, else after failures in a row. */
  | { readonly state: 'refused' | 'failed'; readonly error: ApiError; readonly openMs: number };

/** Reports the state of a reserved call; returns whether that has opened or closed the circuit. */
export async function reportCall(
  run: RunScript,
  options: {
    readonly token: string;
    readonly call: CallState;
    /** How long the call may take once it is sent. */
    readonly attemptMs: number;
    /** How long it counts after its response. */
    readonly windowMs: number;
    /** What was reserved, of the budget of that day: given back when the call was not sent. */
    readonly credits: number;
    readonly day: number;
    /** Failures in a row that open the circuit. */
    readonly maxFailures: number;
  },
): Promise<'opened' | 'closed' | undefined> {
  const { token, call, attemptMs, windowMs, credits, day, maxFailures } = options;
  const opening = 'error' in call ? [encodeError(call.error), call.openMs] : [];
  const args = [token, call.state, attemptMs, windowMs, credits, day, maxFailures, ...opening];
  const [change] = await run(script, LIMIT_KEYS, args);
  return change === undefined ? undefined : String(change) === 'opened' ? 'opened' : 'closed';
}
