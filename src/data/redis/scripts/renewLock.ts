import type { PageKey } from '../../../domain/page.ts';
import { keyOfLock } from './redisKeys.ts';
import renewLockLua from './renewLock.lua';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('renewLock', renewLockLua);

/** Extends the lock of a page; false when it was lost. */
export async function renewLock(
  run: RunScript,
  { page, token, lockMs }: { readonly page: PageKey; readonly token: string; readonly lockMs: number },
): Promise<boolean> {
  const [isHeld] = await run(script, [keyOfLock(page)], [token, lockMs]);
  return isHeld === 1;
}
