import { expect, it } from '@jest/globals';
import { createUpstreamLayers } from '../../src/compose/upstreamLayers.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { fetchOptions, settle } from '../support/cache.ts';
import { range } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { codeOf, createEvents, createHeldSource, key, page } from '../support/sources.ts';

it('lets as many calls wait as can be sent before their operations time out', async () => {
  const { source, started, calls } = createHeldSource();
  const { events, onEvent } = createEvents();
  const config = loadConfig({ KEYAPI_QPS: '5', KEYAPI_CONCURRENCY: '2', OPERATION_TIMEOUT_MS: '2000' });
  const fetch = createUpstreamLayers(source, { config, clock: createTestClock(), random: () => 0, onEvent });
  const outcomes = range(1, 20).map((number) => codeOf(fetch(key(number), fetchOptions())));
  await settle();
  expect(started).toEqual([1, 2]);
  // 2 in flight, 10 waiting.
  expect(events.filter(({ type }) => type === 'pageShed')).toHaveLength(8);
  for (let turn = 0; turn < 12; turn++) {
    for (const { resolve } of calls) resolve(page);
    await settle();
  }
  expect((await Promise.all(outcomes)).filter((code) => code === 'ok')).toHaveLength(12);
});
