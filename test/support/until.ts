import { afterEach } from '@jest/globals';

let endedTests = 0;
afterEach(() => void endedTests++);

/**
 * Waits until the condition is true. Checks it on each turn of the event loop, without a timer, unless another `pause`
 * is given. Throws once its test has ended, for example by Jest's timeout.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  pause: () => Promise<unknown> = () => new Promise(setImmediate),
): Promise<void> {
  const endedBefore = endedTests;
  while (!(await condition())) {
    if (endedTests !== endedBefore) throw new Error('the test has ended');
    await pause();
  }
}
