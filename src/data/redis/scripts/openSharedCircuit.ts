import type { ApiError } from '../../../domain/errors.ts';
import circuit from './circuit.lua';
import { encodeError } from './errorRecord.ts';
import openSharedCircuitLua from './openSharedCircuit.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('openSharedCircuit', circuit, openSharedCircuitLua);

/** Opens the circuit with this key for all replicas, unless it is open for longer. */
export async function openSharedCircuit(
  run: RunScript,
  options: {
    readonly key: string;
    readonly error: ApiError;
    readonly ms: number;
    /** True when upstream asked for it, and nothing else opened it. */
    readonly isPause: boolean;
  },
): Promise<void> {
  const { key, error, ms, isPause } = options;
  await run(script, [key], [encodeError(error), ms, isPause]);
}
