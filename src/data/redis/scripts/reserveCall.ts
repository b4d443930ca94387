import type { ApiError } from '../../../domain/errors.ts';
import type { LimitScope } from '../../upstream/callPause.ts';
import type { Spending } from '../../upstream/creditBudget.ts';
import circuit from './circuit.lua';
import { decodeError } from './errorRecord.ts';
import limits from './limits.lua';
import { keysOfLimits } from './redisKeys.ts';
import reserveCallLua from './reserveCall.lua';
import { defineScript, type RunScript } from './script.ts';
import spending from './spending.lua';

const script = defineScript('reserveCall', circuit, limits, spending, reserveCallLua);

/** What became of a reservation. */
export type Reservation =
  /** The call may be made. `spent`: of the day's budget, this call included. */
  | { readonly type: 'granted'; readonly spent: Spending }
  /** Ask again after `ms`: for the rate limit. */
  | { readonly type: 'wait'; readonly ms: number }
  /** Another call is a probe: ask again, after `ms` at the latest. */
  | { readonly type: 'probed'; readonly ms: number }
  /** It is known after `ms` what is spent. */
  | { readonly type: 'held'; readonly ms: number }
  /** The budget is spent, until the day ends after `ms`. */
  | { readonly type: 'spent'; readonly ms: number }
  /** Calls are stopped, until a probe is due after `ms`. The error is undefined when it cannot be read. */
  | {
      readonly type: 'open';
      readonly ms: number;
      readonly error: ApiError | undefined;
      readonly scope: LimitScope;
    };

/** Reserves one call within all limits at once. */
export async function reserveCall(
  run: RunScript,
  options: {
    /** Name of the endpoint. */
    readonly endpoint: string;
    readonly token: string;
    readonly callsPerSecond: number;
    /** The longest that the call may take. */
    readonly takesMs: number;
    /** How long it counts after its response. */
    readonly windowMs: number;
    readonly credits: number;
    readonly creditsPerDay: number | undefined;
    /** How long no credits are spent after Redis has lost the record of the spending. */
    readonly holdMs: number;
    /** The UTC day by the clock of this replica. */
    readonly today: number;
  },
): Promise<Reservation> {
  const { endpoint, token, callsPerSecond, takesMs, windowMs, credits, creditsPerDay, holdMs, today } =
    options;
  const args = [token, callsPerSecond, takesMs, windowMs, credits, creditsPerDay, holdMs, today];
  const [word, first, second, scope] = await run(script, keysOfLimits(endpoint), args);
  const type = String(word);
  switch (type) {
    case 'wait':
    case 'probed':
    case 'held':
    case 'spent':
      return { type, ms: Number(first) };
    case 'open':
      return {
        type,
        ms: Number(first),
        error: decodeError(String(second)),
        scope: String(scope) as LimitScope,
      };
    default:
      return { type: 'granted', spent: { day: Number(first), credits: Number(second) } };
  }
}
