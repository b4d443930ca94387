import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { LimitsState, OpenCircuit } from '../../../src/data/upstream/limitsState.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { statsEndpoint } from '../../../src/domain/videoStats.ts';
import type { UpstreamCallEvent } from '../../../src/keyapi/events.ts';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { type AppMetrics, createMetrics } from '../../../src/observe/metrics/createMetrics.ts';
import { parseMetrics } from '../../support/metrics.ts';
import { makeResponseEvent } from '../../support/responseEvent.ts';

const PAGES = pageEndpoint.name;
const NUMBERS = statsEndpoint.name;
const batch = { endpoint: NUMBERS, key: { itemIds: '7301,7302' } };
const CALL: UpstreamCallEvent = {
  type: 'upstreamCall',
  ...batch,
  background: false,
  outcome: 'ok',
  status: 200,
  durationMs: 90,
  credits: 1,
  upstreamRequestId: undefined,
  detail: undefined,
};

let metrics: AppMetrics;

beforeEach(() => {
  metrics = createMetrics({ hasBudget: false, hasRedis: true, operationNames: [] });
});
afterEach(() => metrics.close());

/** The values of all series of a metric, by their labels as in the scrape. */
async function read(name: string): Promise<Record<string, number>> {
  const { series, value } = parseMetrics(await metrics.read());
  return Object.fromEntries(series(name).map((each) => [each.slice(name.length), value(each)]));
}

/** Both endpoints with these values, as `read` returns them. */
const byEndpoint = (pages: number, numbers: number) => ({
  [`{endpoint="${PAGES}"}`]: pages,
  [`{endpoint="${NUMBERS}"}`]: numbers,
});

describe('the metrics of upstream', () => {
  it.each<[string, AppEvent, number]>([
    ['trending_upstream_request_duration_seconds_count', CALL, 1],
    ['trending_upstream_retries_total', { type: 'retry', ...batch, code: 'UPSTREAM_ERROR', pauseMs: 9 }, 1],
    ['trending_pages_shed_total', { type: 'callShed', ...batch }, 1],
    ['trending_rows_dropped_total', { type: 'rowsDropped', ...batch, count: 3 }, 3],
    [
      'trending_upstream_connection_failures_total',
      {
        type: 'connectionFailed',
        ...batch,
        background: false,
        code: 'UPSTREAM_UNAVAILABLE',
        durationMs: 9,
        detail: undefined,
      },
      1,
    ],
  ])('have both endpoints from the start, and count for one: %s', async (name, event, count) => {
    expect(await read(name)).toEqual(byEndpoint(0, 0));
    metrics.onEvent(event);
    expect(await read(name)).toEqual(byEndpoint(0, count));
  });

  it('count requests and credits by endpoint', async () => {
    metrics.onEvent(CALL);
    metrics.onEvent({ ...CALL, background: true, outcome: 'UPSTREAM_FORBIDDEN', status: 403 });
    metrics.onEvent({ ...CALL, endpoint: PAGES, key: { chart: 'US:7:VIEWS', page: 1 }, credits: 2 });
    expect(await read('trending_upstream_requests_total')).toEqual({
      [`{endpoint="${NUMBERS}",status="200",outcome="ok"}`]: 1,
      [`{endpoint="${NUMBERS}",status="403",outcome="UPSTREAM_FORBIDDEN"}`]: 1,
      [`{endpoint="${PAGES}",status="200",outcome="ok"}`]: 1,
    });
    expect(await read('trending_credits_spent_total')).toEqual({
      [`{endpoint="${PAGES}",purpose="operation"}`]: 2,
      [`{endpoint="${PAGES}",purpose="refresh"}`]: 0,
      [`{endpoint="${NUMBERS}",purpose="operation"}`]: 1,
      [`{endpoint="${NUMBERS}",purpose="refresh"}`]: 1,
    });
  });
});

describe('the metrics of operations', () => {
  it('have every code of docs/errors.md from the start, so that the first error is an increase', async () => {
    const before = await read('trending_errors_total');
    const rows = [...(await readFile('docs/errors.md', 'utf8')).matchAll(/^\| `([A-Z_]+)` +\|/gm)];
    expect(rows.length).toBeGreaterThan(20);
    expect(before).toEqual(Object.fromEntries(rows.map(([, code]) => [`{code="${code}"}`, 0])));
    metrics.onEvent({ ...makeResponseEvent({}), codes: ['INTERNAL_SERVER_ERROR'] });
    expect(await read('trending_errors_total')).toEqual({ ...before, '{code="INTERNAL_SERVER_ERROR"}': 1 });
  });

  it('count the videos whose numbers were used, by origin', async () => {
    metrics.onEvent(makeResponseEvent({ fetched: 1 }, { cached: 4, fetched: 6 }));
    metrics.onEvent(makeResponseEvent({ cached: 1 }));
    metrics.onEvent(makeResponseEvent({ cached: 1 }, { stale: 1, shared: 2, cached: 5 }));
    expect(await read('trending_stats_total')).toEqual({
      '{origin="cached"}': 9,
      '{origin="stale"}': 1,
      '{origin="shared"}': 2,
      '{origin="fetched"}': 6,
    });
  });

  it('count a tenth of a credit as saved for the numbers of each video that were not bought', async () => {
    metrics.onEvent(makeResponseEvent({ fetched: 1 }, { fetched: 20 }));
    expect(await read('trending_credits_saved_total')).toEqual({ '': 0 });
    metrics.onEvent(makeResponseEvent({ cached: 2, shared: 1 }, { cached: 1, stale: 1, shared: 1 }));
    expect(await read('trending_credits_saved_total')).toEqual({ '': 6.3 });
  });
});

describe('the metrics of Redis', () => {
  it('count each outage once, whatever attempts to reconnect fail', async () => {
    const down = (wasUp: boolean) => metrics.onEvent({ type: 'redisDown', wasUp, reason: 'ECONNREFUSED' });
    expect(await read('trending_redis_outages_total')).toEqual({ '': 0 });
    // Not reached at the start.
    down(false);
    down(false);
    for (let outage = 0; outage < 2; outage++) {
      metrics.onEvent({ type: 'redisUp' });
      down(true);
      down(false);
    }
    expect(await read('trending_redis_outages_total')).toEqual({ '': 3 });
  });

  it('do not exist without Redis', async () => {
    const others = createMetrics({ hasBudget: false, hasRedis: false, operationNames: [] });
    expect(await others.read()).not.toContain('redis');
    others.close();
  });
});

describe('the metrics of circuits', () => {
  let circuits: OpenCircuit[];

  beforeEach(() => {
    circuits = [];
    const limits: LimitsState = { openCircuits: () => circuits, creditsLeft: () => undefined };
    metrics.watch({ caches: {}, limits, isRedisUp: undefined });
  });

  const SERIES = [
    '{endpoint="account",code="UPSTREAM_UNAUTHENTICATED"}',
    '{endpoint="account",code="UPSTREAM_QUOTA_EXCEEDED"}',
    '{endpoint="account",code="UPSTREAM_RATE_LIMITED"}',
    ...[PAGES, NUMBERS].flatMap((endpoint) =>
      ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_FORBIDDEN', 'UPSTREAM_ERROR', 'UPSTREAM_BAD_RESPONSE'].map(
        (code) => `{endpoint="${endpoint}",code="${code}"}`,
      ),
    ),
  ];
  /** Every circuit that can open, with 1 for the given ones. */
  const withOnes = (...ones: string[]) =>
    Object.fromEntries(SERIES.map((series) => [series, ones.includes(series) ? 1 : 0]));

  it('report which circuits are open, and why, until they close', async () => {
    expect(await read('trending_circuit_open')).toEqual(withOnes());
    circuits = [
      { endpoint: NUMBERS, code: 'UPSTREAM_FORBIDDEN' },
      { endpoint: undefined, code: 'UPSTREAM_RATE_LIMITED' },
    ];
    expect(await read('trending_circuit_open')).toEqual(
      withOnes(
        `{endpoint="${NUMBERS}",code="UPSTREAM_FORBIDDEN"}`,
        '{endpoint="account",code="UPSTREAM_RATE_LIMITED"}',
      ),
    );
    circuits = [];
    expect(await read('trending_circuit_open')).toEqual(withOnes());
  });

  it('count how often each circuit opened', async () => {
    const name = 'trending_circuit_openings_total';
    expect(await read(name)).toEqual(withOnes());
    metrics.onEvent({ type: 'circuitOpened', code: 'UPSTREAM_QUOTA_EXCEEDED', seconds: 60 });
    metrics.onEvent({ type: 'circuitOpened', endpoint: NUMBERS, code: 'UPSTREAM_FORBIDDEN', seconds: 60 });
    expect(await read(name)).toEqual(
      withOnes(
        '{endpoint="account",code="UPSTREAM_QUOTA_EXCEEDED"}',
        `{endpoint="${NUMBERS}",code="UPSTREAM_FORBIDDEN"}`,
      ),
    );
  });
});
