import { afterEach, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { scrape } from '../support/metrics.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { serveChart } from './faults.ts';

const MINUTE = 60_000;

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;
let events: AppEvent[];

afterEach(async () => {
  await app.close();
  await upstream.close();
});

async function start(variables: Record<string, string>): Promise<void> {
  events = [];
  clock = createTestClock();
  upstream = await startUpstream(serveChart());
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startApp(upstream.url, variables, { clock, random: () => 0, onEvent });
}

async function read(path: string): Promise<string> {
  return (await app.server.inject(path)).body;
}

it('spends nothing of the budget while connections are refused, in a day of it', async () => {
  await start({ CREDIT_BUDGET_PER_DAY: '10' });
  await upstream.pause();
  const query = '{ trendingVideos { totalCount } }';
  for (let minute = 0; minute < 23 * 60; minute++) {
    const { errors, extensions } = await app.query(query);
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_UNAVAILABLE' } }]);
    expect(extensions.upstream).toMatchObject({ requests: 0, credits: 0 });
    clock.advance(MINUTE);
  }
  expect(events.some(({ type }) => type === 'upstreamCall' || type === 'budgetRefused')).toBe(false);
  const failures = events.filter(({ type }) => type === 'connectionFailed').length;
  const metrics = await scrape(app.server);
  const endpoint = 'endpoint="trendingVideos"';
  expect(metrics.value(`trending_upstream_connection_failures_total{${endpoint}}`)).toBe(failures);
  expect(metrics.series('trending_credits_spent_total').map(metrics.value)).toEqual([0, 0, 0, 0]);
  expect(JSON.parse(await read('/readyz'))).toMatchObject({ budget: 'left' });
  expect(metrics.value('trending_budget_credits_left')).toBe(10);

  await upstream.resume();
  const { data, extensions } = await app.query('{ trendingVideos(first: 100) { nodes { itemId } } }');
  expect(data).toMatchObject({ trendingVideos: { nodes: { length: 100 } } });
  expect(extensions.upstream).toMatchObject({ requests: 5, credits: 10 });
});

it('stops trying to connect after 5 failures in a row', async () => {
  await start({});
  await upstream.pause();
  const regions = ['DE', 'FR', 'GB', 'IT', 'ES', 'SE'];
  for (const region of regions) await app.query(`{ trendingVideos(region: "${region}") { totalCount } }`);
  expect(events.filter(({ type }) => type === 'connectionFailed')).toHaveLength(5);
  expect(events).toContainEqual(
    expect.objectContaining({ type: 'circuitOpened', endpoint: 'trendingVideos' }),
  );
  expect(JSON.parse(await read('/readyz'))).toMatchObject({ breaker: 'open' });
});
