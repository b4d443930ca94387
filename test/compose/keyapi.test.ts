import { afterEach, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { createKeyapi, type Upstream } from '../../src/compose/keyapi.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import type { Chart } from '../../src/domain/chart.ts';
import { toUtcDay } from '../../src/domain/utcDay.ts';
import { trendingVideos } from '../../src/keyapi/endpoints/trendingVideos.ts';
import { createCall } from '../support/cache.ts';
import { createTestClock } from '../support/clock.ts';

const CHART: Chart = { region: 'US', period: 7, orderBy: 'LIKES' };

let upstream: Upstream;

async function start(variables: Record<string, string>, now: number): Promise<void> {
  const context = {
    config: loadConfig(variables),
    clock: createTestClock(now),
    random: Math.random,
    log: pino({ level: 'silent' }),
    onEvent: () => undefined,
  };
  upstream = await createKeyapi(context, undefined);
}

afterEach(() => upstream.close());

describe('createKeyapi', () => {
  it('knows the charts of the demo data on any day, as they are served on the day of the clock', async () => {
    const now = Date.UTC(2026, 5, 7, 8);
    await start({ KEYAPI_EMULATOR: 'true' }, now);
    const page = await upstream.source(trendingVideos)({ chart: CHART, number: 2 }, createCall());
    const ids = [-1, 0, 1].map((days) => upstream.itemIdsOn?.(CHART, toUtcDay(now) + days).slice(20, 40));
    expect(page.rows.map((row) => row?.itemId)).toEqual(ids[1]);
    expect(new Set(ids.map(String)).size).toBe(3);
  });

  it('knows nothing of the charts of KeyAPI on other days', async () => {
    await start({ KEYAPI_TOKEN: 'sk-1' }, 0);
    expect(upstream.itemIdsOn).toBeUndefined();
  });
});
