import { afterEach } from '@jest/globals';

let endedTests = 0;
afterEach(() => void endedTests++);

/**
 * Waits until the condition holds: by turns of the event loop, without a timer, unless another `pause` is given. Once its test
 * is over, as it is when Jest's timeout has passed, it waits no longer.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  pause: () => Promise<unknown> = () => new Promise(setImmediate),
): Promise<void> {
  const begunAt = endedTests;
  while (!(await condition())) {
    if (endedTests !== begunAt) throw new Error('the test is over');
    await pause();
  }
}
