import type { ApiError } from '../../../domain/errors.ts';
import { encodeError } from './errorRecord.ts';
import limits from './limits.lua';
import openSharedCircuitLua from './openSharedCircuit.lua';
import { LIMIT_KEYS } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('openSharedCircuit', limits, openSharedCircuitLua);

/** Opens the circuit for all replicas, unless it is open for longer. */
export async function openSharedCircuit(
  run: RunScript,
  { error, ms }: { readonly error: ApiError; readonly ms: number },
): Promise<void> {
  await run(script, LIMIT_KEYS, [encodeError(error), ms]);
}
