import { expect, it } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { countDurations } from '../../../src/observe/metrics/durations.ts';

const SECONDS = [0, 0.0004, 0.001, 0.0011, 0.3, 0.5, 2, 10, 10.1, 600];
const SERIES = [
  { operation: 'Top', outcome: 'ok' },
  { operation: 'unnamed', outcome: 'ok' },
  { operation: 'Top', outcome: 'error' },
];

it("is scraped like prom-client's own histogram", async () => {
  const [expected, registry] = [new Registry(), new Registry()];
  const histogram = new Histogram({
    name: 'trending_operation_duration_seconds',
    help: 'Time until the response to an operation was ready',
    labelNames: ['operation', 'outcome'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [expected],
  });
  const observe = countDurations(registry);
  for (const labels of SERIES) {
    for (const seconds of SECONDS.slice(0, labels.outcome === 'ok' ? undefined : 3)) {
      histogram.observe(labels, seconds);
      observe(labels.operation, labels.outcome, seconds);
    }
  }
  const linesOf = async (all: Registry): Promise<string[]> => (await all.metrics()).split('\n').sort();
  expect(await linesOf(registry)).toEqual(await linesOf(expected));
});

it('has no series before the first operation', async () => {
  const registry = new Registry();
  countDurations(registry);
  expect(await registry.metrics()).not.toContain('_count');
});
