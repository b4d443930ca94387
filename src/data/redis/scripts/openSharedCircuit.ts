import type { ApiError } from '../../../domain/errors.ts';
import circuit from './circuit.lua';
import { encodeError } from './errorRecord.ts';
import openSharedCircuitLua from './openSharedCircuit.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('openSharedCircuit', circuit, openSharedCircuitLua);

/** Opens the circuit with this key for all replicas, unless it is open for longer. */
export async function openSharedCircuit(
  run: RunScript,
  { key, error, ms }: { readonly key: string; readonly error: ApiError; readonly ms: number },
): Promise<void> {
  await run(script, [key], [encodeError(error), ms]);
}
