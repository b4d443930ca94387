import { expect, it } from '@jest/globals';
import { Registry } from 'prom-client';
import { summarizeDelays } from '../../../src/observe/metrics/eventLoopMetrics.ts';
import { parseMetrics } from '../../support/metrics.ts';

const NAME = 'trending_event_loop_delay_seconds';

/** The summary, of a histogram that the test fills. */
function start() {
  const registry = new Registry();
  const intervals = {
    count: 0,
    mean: Number.NaN,
    percentile: (percentile: number) => (20 + percentile) * 1e6,
    reset: () => Object.assign(intervals, { count: 0, mean: Number.NaN }),
  };
  summarizeDelays(registry, intervals);
  return {
    record: (count: number, meanMs: number) => Object.assign(intervals, { count, mean: meanMs * 1e6 }),
    scrape: async () => parseMetrics(await registry.metrics()),
  };
}

it('is a summary, whose quantiles are those since the last scrape', async () => {
  const { record, scrape } = start();
  record(3, 21);
  const { types, series, value } = await scrape();
  expect(types.get(NAME)).toBe('summary');
  expect(series(NAME).map((each) => [each, value(each)])).toEqual([
    [`${NAME}{quantile="0.5"}`, expect.closeTo(0.05)],
    [`${NAME}{quantile="0.99"}`, expect.closeTo(0.099)],
    [`${NAME}{quantile="1"}`, expect.closeTo(0.1)],
  ]);
  expect((await scrape()).value(`${NAME}{quantile="1"}`)).toBe(0);
});

it('has a sum and a count since the start, which only grow', async () => {
  const { record, scrape } = start();
  const found = [];
  // Without a measurement between two scrapes, and with timers that were early.
  for (const [count, meanMs] of [
    [4, 30],
    [0, Number.NaN],
    [2, 19],
    [1, 120],
  ] as const) {
    record(count, meanMs);
    const { value } = await scrape();
    found.push([value(`${NAME}_count`), value(`${NAME}_sum`)]);
  }
  expect(found).toEqual([
    [4, expect.closeTo(0.04)],
    [4, expect.closeTo(0.04)],
    [6, expect.closeTo(0.04)],
    [7, expect.closeTo(0.14)],
  ]);
});
