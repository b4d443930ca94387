import renewLocksLua from './renewLocks.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('renewLocks', renewLocksLua);

/** Extends the locks with these keys; false when one was lost. */
export async function renewLocks(
  run: RunScript,
  {
    locks,
    token,
    lockMs,
  }: { readonly locks: readonly string[]; readonly token: string; readonly lockMs: number },
): Promise<boolean> {
  const [areHeld] = await run(script, locks, [token, lockMs]);
  return areHeld === 1;
}
