import type { ApiError } from '../../../domain/errors.ts';
import type { Spending } from '../../upstream/creditBudget.ts';
import circuit from './circuit.lua';
import { decodeError } from './errorRecord.ts';
import { BUDGET_KEY } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import spending from './spending.lua';
import syncLimitsLua from './syncLimits.lua';

const script = defineScript('syncLimits', circuit, spending, syncLimitsLua);

/** A circuit that is open, or whose probe is due. */
interface SharedCircuit {
  /** Until a probe is due. */
  readonly ms: number;
  /** Undefined when it cannot be read. */
  readonly error: ApiError | undefined;
}

/** Exchanges the state of the limits; returns what is spent, and each of these circuits, undefined while it is closed. */
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
    /** Keys of the circuits. */
    readonly circuits: readonly string[];
  },
): Promise<{ readonly spent: Spending; readonly circuits: readonly (SharedCircuit | undefined)[] }> {
  const { hasBudget, known, isFirst, holdMs, today, circuits } = options;
  const args = [hasBudget, known?.day, known?.credits, isFirst, holdMs, today];
  const [day, credits, ...states] = await run(script, [BUDGET_KEY, ...circuits], args);
  return {
    spent: { day: Number(day), credits: Number(credits) },
    circuits: circuits.map((_key, index) => {
      const ms = Number(states[2 * index]);
      return ms < 0 ? undefined : { ms, error: decodeError(String(states[2 * index + 1])) };
    }),
  };
}
