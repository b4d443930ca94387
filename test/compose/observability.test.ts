import { expect, it } from '@jest/globals';
import { createObservability } from '../../src/compose/observability.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { createTestClock } from '../support/clock.ts';
import { createMemoryLog } from '../support/memoryLog.ts';

it('writes what the log still has to say when the server closes, and sets no timer from then on', () => {
  const { log, lines } = createMemoryLog();
  const clock = createTestClock();
  const config = loadConfig({});
  const { onEvent, close } = createObservability({
    config,
    clock,
    log,
    trusted: undefined,
    onEvent: undefined,
  });
  const goDown = (): void => {
    for (let outage = 1; outage <= 6; outage++) {
      onEvent({ type: 'redisDown', wasUp: true, reason: 'ECONNREFUSED' });
      onEvent({ type: 'redisUp' });
    }
  };
  goDown();
  close();
  expect(lines.at(-1)).toMatchObject({ outages: 1, redis: 'up' });
  goDown();
  expect(clock.deadlines()).toEqual([]);
});
