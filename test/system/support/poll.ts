import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';

/** Waits until the condition holds; checks it every 10 ms. */
export function poll(condition: () => boolean | Promise<boolean>): Promise<void> {
  return until(condition, () => sleep(10));
}
