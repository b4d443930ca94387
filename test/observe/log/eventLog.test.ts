import { describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { createEventLog } from '../../../src/observe/log/eventLog.ts';
import { startApp, TOKEN } from '../../support/app.ts';
import { createTestClock } from '../../support/clock.ts';
import { createMemoryLog } from '../../support/memoryLog.ts';
import { makeResponseEvent } from '../../support/responseEvent.ts';
import { reply, startUpstream } from '../../support/upstream.ts';

it('writes one line for each upstream call, with what an operator asks for, and never the token', async () => {
  const upstream = await startUpstream(
    reply({ code: 402, data: null, message: `no ${TOKEN}`, requestId: 'req-1' }, 402),
  );
  const { log, lines } = createMemoryLog();
  const app = await startApp(upstream.url, {}, { log });
  await app.query('{ trendingVideos(region: "DE", period: LAST_30_DAYS, orderBy: LIKES) { totalCount } }');
  await app.close();
  await upstream.close();
  expect(lines.filter(({ msg }) => /^Upstream call( failed)?$/.test(String(msg)))).toEqual([
    {
      level: 40,
      time: expect.any(Number),
      endpoint: 'trendingVideos',
      chart: 'DE:30:LIKES',
      page: 1,
      background: false,
      outcome: 'UPSTREAM_QUOTA_EXCEEDED',
      status: 402,
      durationMs: expect.any(Number),
      credits: 2,
      upstreamRequestId: 'req-1',
      detail: 'no [token]',
      msg: 'Upstream call failed',
    },
  ]);
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
});

const endpoint = 'trendingVideos';
const key = { chart: 'US:7:VIEWS', page: 1 };

it.each<[AppEvent, string]>([
  [
    {
      type: 'upstreamCall',
      endpoint,
      key,
      background: true,
      outcome: 'ok',
      status: 200,
      durationMs: 9,
      credits: 2,
      upstreamRequestId: 'req-2',
      detail: undefined,
    },
    'Upstream call',
  ],
  [
    { type: 'rowsDropped', endpoint, key, count: 2 },
    'KeyAPI sent rows that cannot be read: they are left out',
  ],
  [
    {
      type: 'connectionFailed',
      endpoint,
      key,
      background: false,
      code: 'UPSTREAM_UNAVAILABLE',
      durationMs: 9,
      detail: 'ECONNREFUSED',
    },
    'No connection to KeyAPI: no request was sent, no credits were spent',
  ],
  [
    { type: 'emptyPage', endpoint, key },
    'KeyAPI sent an empty page for a chart with cached rows: it is not stored',
  ],
  [{ type: 'unknownField', endpoint, field: 'likes' }, 'KeyAPI sent an unknown field: it is ignored'],
  [{ type: 'retry', endpoint, key, code: 'UPSTREAM_ERROR', pauseMs: 700 }, 'Upstream call retried'],
  [
    { type: 'circuitOpened', code: 'UPSTREAM_UNAVAILABLE', seconds: 30 },
    'Circuit breaker opened: upstream calls are stopped',
  ],
  [{ type: 'circuitClosed' }, 'Circuit breaker closed: upstream calls are allowed again'],
  [
    { type: 'budgetUnknown', retryAfterSeconds: 5 },
    'Redis is down, so no credits can be reserved: only cached data is served',
  ],
  [
    { type: 'emptyBatch', endpoint: 'videoAnalytics', key: { itemIds: '1,2' } },
    'KeyAPI sent no numbers for videos with cached numbers: this is not stored',
  ],
  [{ type: 'redisUp' }, 'Redis is up: pages and limits are shared with the other replicas'],
  [
    { type: 'redisDown', wasUp: true, reason: 'ECONNREFUSED' },
    'Redis is down: this replica continues by itself, with its own cache and its share of the limits',
  ],
  [{ type: 'cacheFileRead', file: 'a', pages: 3, stats: 2 }, 'Cache file read'],
  [{ type: 'cacheFileWritten', file: 'a', pages: 3, stats: 2 }, 'Cache file written'],
  [{ type: 'historyFileRead', file: 'a', chartDays: 3 }, 'History file read'],
  [
    { type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 100, pages: 3 },
    "Chart of SNAPSHOT_CHARTS fetched for tomorrow's comparison",
  ],
  [
    { type: 'snapshotMissed', chart: 'US:7:VIEWS', ranks: 100, knownRanks: 20 },
    'Chart of SNAPSHOT_CHARTS was not fetched completely on the day that has ended: some movements will be ' +
      'unknown',
  ],
  [{ type: 'fileIgnored', file: 'a', reason: 'it is damaged', isReplaced: true }, 'File ignored'],
  [
    { type: 'fileFailed', file: 'a', reason: 'no space' },
    'File cannot be written: its content will be lost at a restart',
  ],
])('logs %j', (event, msg) => {
  const { log, lines } = createMemoryLog();
  createEventLog(log, createTestClock()).onEvent(event);
  expect(lines).toMatchObject([{ msg }]);
});

const batch = { endpoint: 'videoAnalytics', key: { itemIds: '7301,7302' } };

it.each<AppEvent>([
  { type: 'rowsDropped', ...batch, count: 1 },
  { type: 'retry', ...batch, code: 'BAD_USER_INPUT', pauseMs: 0 },
])('names the videos of a batch in the line of %j', (event) => {
  const { log, lines } = createMemoryLog();
  createEventLog(log, createTestClock()).onEvent(event);
  expect(lines).toMatchObject([{ endpoint: 'videoAnalytics', itemIds: '7301,7302' }]);
});

it('has the origins of numbers in the line of an operation that asked for some, and of no other', () => {
  const { log, lines } = createMemoryLog();
  const { onEvent: write } = createEventLog(log, createTestClock());
  write(makeResponseEvent({ cached: 1 }, { cached: 3, fetched: 10 }));
  write(makeResponseEvent({ cached: 1 }));
  const [withNumbers, without] = lines;
  expect(withNumbers).toMatchObject({ stats: { cached: 3, stale: 0, shared: 0, fetched: 10 } });
  expect(without).not.toHaveProperty('stats');
});

it('logs that calls are not made once a minute for each endpoint', () => {
  const { log, lines } = createMemoryLog();
  const { onEvent: write } = createEventLog(log, createTestClock());
  for (const labels of [{ endpoint, key }, batch, { endpoint, key }, batch])
    write({ type: 'callShed', ...labels });
  expect(lines.map((line) => line.endpoint)).toEqual(['trendingVideos', 'videoAnalytics']);
});

it('logs frequent events once a minute', () => {
  const { log, lines } = createMemoryLog();
  const clock = createTestClock();
  const { onEvent: write } = createEventLog(log, clock);
  for (let time = 0; time < 1000; time++) {
    write({ type: 'callShed', endpoint, key });
    write({ type: 'redisDown', wasUp: false, reason: 'ECONNREFUSED' });
    write({ type: 'budgetRefused', retryAfterSeconds: 60 });
  }
  expect(lines.map(({ msg }) => msg)).toEqual([
    'Too many upstream calls are waiting: further calls fail at once',
    'Redis is down: this replica continues by itself, with its own cache and its share of the limits',
    'The credits for the day are spent: only cached data is served',
  ]);
  clock.advance(60_000);
  write({ type: 'callShed', endpoint, key });
  expect(lines).toHaveLength(4);
});

it('logs each cause of overload once a minute', () => {
  const { log, lines } = createMemoryLog();
  const { onEvent: write } = createEventLog(log, createTestClock());
  for (const overload of ['eventLoopDelay', 'heap', 'eventLoopDelay', 'heap'] as const)
    write({ type: 'overloaded', overload });
  expect(lines.map(({ overload }) => overload)).toEqual(['eventLoopDelay', 'heap']);
});

describe('clients that send too many requests', () => {
  const limited = (client: string): AppEvent => ({ type: 'rateLimited', client });

  it('are named once a minute each', () => {
    const { log, lines } = createMemoryLog();
    const clock = createTestClock();
    const { onEvent: write } = createEventLog(log, clock);
    for (const client of ['a', 'b', 'a', 'b']) write(limited(client));
    clock.advance(60_000);
    write(limited('b'));
    expect(lines.map(({ client }) => client)).toEqual(['a', 'b', 'b']);
  });

  it('are named up to a bound, and one line says that there are more', () => {
    const { log, lines } = createMemoryLog();
    const clock = createTestClock();
    const { onEvent: write } = createEventLog(log, clock);
    const clients = Array.from({ length: 1000 }, (_, index) => `192.0.2.${index}`);
    for (let minute = 1; minute <= 2; minute++) {
      for (const client of clients) write(limited(client));
      expect(lines).toHaveLength(11 * minute);
      expect(lines.at(-1)).toMatchObject({
        msg: 'Further clients sent too many requests: they are not named',
      });
      clock.advance(60_000);
    }
  });
});
