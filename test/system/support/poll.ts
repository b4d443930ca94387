import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until it is so, however long that takes: Jest ends what is waited for in vain. */
export async function poll(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(10);
}
