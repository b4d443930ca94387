import type { ApiError } from '../../../domain/errors.ts';
import type { Spending } from '../../upstream/creditBudget.ts';
import { decodeError } from './errorRecord.ts';
import limits from './limits.lua';
import { LIMIT_KEYS } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import spending from './spending.lua';
import syncLimitsLua from './syncLimits.lua';

const script = defineScript('syncLimits', limits, spending, syncLimitsLua);

/** Exchanges the state of the limits; returns what is spent, and the circuit unless it is closed. */
export async function syncLimits(
  run: RunScript,
  options: {
    readonly hasBudget: boolean;
    /** What this replica knows was spent. */
    readonly known: Spending | undefined;
    /** True when Redis was down, or has lost its data. */
    readonly isFirst: boolean;
    readonly holdMs: number;
    readonly today: number;
  },
): Promise<{
  readonly spent: Spending;
  /** `ms`: until a probe is due. The error is undefined when it cannot be read. */
  readonly circuit: { readonly ms: number; readonly error: ApiError | undefined } | undefined;
}> {
  const { hasBudget, known, isFirst, holdMs, today } = options;
  const args = [hasBudget, known?.day, known?.credits, isFirst, holdMs, today];
  const [day, credits, ms, error] = await run(script, LIMIT_KEYS, args);
  return {
    spent: { day: Number(day), credits: Number(credits) },
    circuit: error === undefined ? undefined : { ms: Number(ms), error: decodeError(String(error)) },
  };
}
