import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';
import { until } from '../../support/until.ts';
import {
  type Handler,
  makeRow,
  makeSuccess,
  reply,
  startUpstream,
  type Upstream,
} from '../../support/upstream.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How often it looks. */
const LOOK_MS = MINUTE_MS;
const US = 'US:LAST_7_DAYS:VIEWS';
const MONDAY = Date.UTC(2026, 0, 5);

/** What upstream responds with; tests may change it. */
let serves: {
  /** By region, or region and page, where it is not 200. */
  status: Record<string, number>;
  pageSize: number;
  length: number;
  /** What the pages claim instead. */
  claimedLength: number | undefined;
  /** Pages whose rows cannot be read. */
  unreadable: number[];
  /** Responses to the requests that are made now wait for it. */
  gate: Promise<void> | undefined;
};
let upstream: Upstream;
let clock: TestClock;
let events: AppEvent[];
let app: TestApp;
let folder: string;

async function start(variables: Record<string, string> = {}): Promise<TestApp> {
  const settings = { SNAPSHOT_CHARTS: `${US}:100`, ...variables };
  app = await startApp(upstream.url, settings, { clock, onEvent: (event) => void events.push(event) });
  return app;
}

/** The requests so far, as `US 1`: region and page, in the order in which they came. */
function bill(): string[] {
  return upstream.requests.map((request) => {
    const { searchParams } = new URL(request, upstream.url);
    return `${searchParams.get('region')} ${searchParams.get('page')}`;
  });
}

function pagesOf(region: string, ...numbers: number[]): string[] {
  return numbers.map((number) => `${region} ${number}`);
}

/** Ends the pause until it looks again; it looks, and does what there is to do. */
async function look(): Promise<void> {
  clock.expireDeadlines(LOOK_MS);
  await until(() => clock.deadlines().includes(LOOK_MS));
}

/** Lets time pass until an hour of the current day, looking every `stepMs` on the way: 24 is the start of the next day. */
async function passTo(hour: number, stepMs = MINUTE_MS): Promise<void> {
  const end = clock.now() - (clock.now() % DAY_MS) + hour * HOUR_MS;
  while (clock.now() < end) {
    clock.advance(Math.min(stepMs, end - clock.now()));
    if (clock.now() < end) await look();
  }
}

/** Lets time pass without looking. */
function jumpTo(hour: number): void {
  clock.advance(hour * HOUR_MS - (clock.now() % DAY_MS));
}

/** Delays the responses to the requests that are made from now on, until the function that it returns is called. */
function hold(): () => void {
  let release = (): void => undefined;
  serves.gate = new Promise((resolve) => {
    release = resolve;
  });
  return () => {
    serves.gate = undefined;
    release();
  };
}

function toHandler(query: URLSearchParams): Handler {
  const { status, pageSize, length, claimedLength = length, unreadable } = serves;
  const region = query.get('region') ?? '';
  const page = Number(query.get('page'));
  const code = status[`${region} ${page}`] ?? status[region] ?? 200;
  if (code !== 200) return reply({ code, message: 'no', data: null }, code);
  const ranks = range((page - 1) * pageSize + 1, Math.min(page * pageSize, length));
  const rows = ranks.map((rank) => (unreadable.includes(page) ? {} : makeRow(String(1000 + rank))));
  const has_more = page * pageSize < length;
  return reply(makeSuccess(rows, { has_more, limit: pageSize, page, total_count: claimedLength }));
}

function read(region: string, first: number) {
  return app.query(
    `{ trendingVideos(region: "${region}", period: LAST_7_DAYS, orderBy: VIEWS, first: ${first}) { edges { rank } } }`,
  );
}

function countEvents(type: AppEvent['type']): number {
  return events.filter((event) => event.type === type).length;
}

beforeEach(async () => {
  serves = {
    status: {},
    pageSize: 20,
    length: 500,
    claimedLength: undefined,
    unreadable: [],
    gate: undefined,
  };
  upstream = await startUpstream((request, response) => {
    const respond = toHandler(new URL(request.url ?? '', upstream.url).searchParams);
    void (serves.gate ?? Promise.resolve()).then(() => respond(request, response));
  });
  clock = createTestClock(MONDAY);
  events = [];
  folder = await mkdtemp(path.join(tmpdir(), 'snapshots-'));
});

afterEach(async () => {
  await app.close();
  await upstream.close();
  await rm(folder, { recursive: true });
});

describe('a chart that nobody reads', () => {
  it('is fetched once a day, at 18:00 UTC, each page once, top first', async () => {
    await start();
    await passTo(18);
    expect(bill()).toEqual([]);
    await look();
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
    await passTo(24);
    expect(bill()).toHaveLength(5);
    await passTo(18);
    expect(bill()).toHaveLength(5);
    await look();
    expect(bill()).toEqual([...pagesOf('US', 1, 2, 3, 4, 5), ...pagesOf('US', 1, 2, 3, 4, 5)]);
    const taken = { type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 100, pages: 5 };
    expect(events.filter(({ type }) => type === 'snapshotTaken')).toEqual([taken, taken]);
  });

  it('costs its pages on each day of a week, and so does another one', async () => {
    await start({ SNAPSHOT_CHARTS: `${US}:100,IN:LAST_30_DAYS:LIKES:30`, HISTORY_DAYS: '2' });
    for (const _day of range(1, 7)) await passTo(24, 7 * MINUTE_MS);
    expect(bill().filter((page) => page.startsWith('US'))).toHaveLength(7 * 5);
    expect(bill().filter((page) => page.startsWith('IN'))).toHaveLength(7 * 2);
    expect([countEvents('snapshotTaken'), countEvents('snapshotMissed')]).toEqual([7 * 2, 0]);
  });

  it('is fetched as background calls, which belong to no operation', async () => {
    await start();
    jumpTo(18);
    await look();
    const calls = events.filter((event) => event.type === 'upstreamCall');
    expect(calls.map(({ background }) => background)).toEqual([true, true, true, true, true]);
  });

  it('is never fetched without the setting, and nothing ever wakes up', async () => {
    await start({ SNAPSHOT_CHARTS: '' });
    expect(clock.deadlines()).toEqual([]);
    jumpTo(20);
    clock.expireDeadlines(LOOK_MS);
    await settle();
    expect(bill()).toEqual([]);
  });
});

it('fetches nothing while Redis is down, where others might fetch the same', async () => {
  await start({ REDIS_URL: 'redis://127.0.0.1:1' });
  await passTo(24, 10 * MINUTE_MS);
  expect(bill()).toEqual([]);
  await passTo(1);
  expect(events).toContainEqual({ type: 'snapshotMissed', chart: 'US:7:VIEWS', ranks: 100, knownRanks: 0 });
});

describe('a chart that operations have read today', () => {
  it('is not fetched', async () => {
    await start();
    jumpTo(9);
    await read('US', 100);
    await passTo(24);
    expect(bill()).toHaveLength(5);
    expect(countEvents('snapshotTaken')).toBe(0);
  });

  it('is fetched where they have not read it', async () => {
    await start();
    jumpTo(9);
    await read('US', 40);
    await passTo(24);
    expect(bill().slice(2)).toEqual(pagesOf('US', 3, 4, 5));
    expect(events).toContainEqual({ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 100, pages: 3 });
  });

  it('is fetched although its pages of yesterday are still fresh', async () => {
    await start({ CACHE_TTL_SECONDS: '604800' });
    jumpTo(20);
    await read('US', 100);
    await passTo(24, HOUR_MS);
    expect(bill()).toHaveLength(5);
    await passTo(19);
    expect(bill().slice(5)).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
    const { extensions } = await read('US', 100);
    expect(extensions.upstream.pages).toMatchObject({ cached: 5, fetched: 0 });
  });

  it('is not fetched again after a restart', async () => {
    const CACHE_FILE = path.join(folder, 'pages.json');
    await start({ CACHE_FILE });
    jumpTo(18);
    await look();
    await app.close();
    await start({ CACHE_FILE });
    clock.advance(MINUTE_MS);
    await passTo(24);
    expect(bill()).toHaveLength(5);
    await passTo(19);
    expect(bill()).toHaveLength(10);
  });
});

describe('while a call is in flight', () => {
  it('nothing is fetched until 23:00, and from then on nevertheless', async () => {
    await start();
    jumpTo(18);
    const release = hold();
    const operation = read('IN', 20);
    await until(() => bill().length === 1);
    await passTo(23);
    expect(bill()).toEqual(pagesOf('IN', 1));
    clock.expireDeadlines(LOOK_MS);
    await until(() => bill().length === 2);
    expect(bill()).toEqual([...pagesOf('IN', 1), ...pagesOf('US', 1)]);
    release();
    await operation;
    await until(() => clock.deadlines().includes(LOOK_MS));
    expect(bill().slice(1)).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
  });

  it('no further page is requested', async () => {
    await start();
    jumpTo(18);
    const releasePage = hold();
    clock.expireDeadlines(LOOK_MS);
    await until(() => bill().length === 1);
    await settle();
    // One after the other.
    expect(bill()).toEqual(pagesOf('US', 1));
    const releaseOperation = hold();
    const operation = read('IN', 20);
    await until(() => bill().length === 2);
    releasePage();
    await until(() => clock.deadlines().includes(LOOK_MS));
    expect(bill()).toEqual([...pagesOf('US', 1), ...pagesOf('IN', 1)]);
    releaseOperation();
    await operation;
    await look();
    expect(bill().slice(2)).toEqual(pagesOf('US', 2, 3, 4, 5));
  });

  it('a page that an operation is fetching is waited for, and not paid for again', async () => {
    await start();
    jumpTo(23);
    const release = hold();
    const operation = read('US', 20);
    await until(() => bill().length === 1);
    clock.expireDeadlines(LOOK_MS);
    await settle();
    release();
    await operation;
    await until(() => clock.deadlines().includes(LOOK_MS));
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
    expect(events).toContainEqual({ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 100, pages: 4 });
  });

  it('closing waits for it alone', async () => {
    await start({ CACHE_FILE: path.join(folder, 'pages.json') });
    jumpTo(18);
    const release = hold();
    clock.expireDeadlines(LOOK_MS);
    await until(() => bill().length === 1);
    const closed = app.close();
    await settle();
    release();
    await closed;
    expect(events.filter((event) => event.type === 'cacheFileWritten')).toMatchObject([{ pages: 1 }]);
    expect(bill()).toEqual(pagesOf('US', 1));
    expect(clock.deadlines()).not.toContain(LOOK_MS);
  });
});

it('does not go on with the day before when a page took until the next day', async () => {
  await start();
  jumpTo(18);
  const release = hold();
  clock.expireDeadlines(LOOK_MS);
  await until(() => bill().length === 1);
  clock.advance(DAY_MS);
  release();
  await until(() => clock.deadlines().includes(LOOK_MS));
  expect(bill()).toEqual(pagesOf('US', 1));
  await look();
  expect(bill()).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
});

it('looks no more once the server is closed', async () => {
  await start();
  expect(clock.deadlines()).toEqual([LOOK_MS]);
  await app.close();
  expect(clock.deadlines()).toEqual([]);
});

describe('when something fails', () => {
  it.each([
    [403, 11],
    [404, 11],
    [401, 11],
    [402, 11],
    // The second attempts of the first two calls are among them; then the circuit is open.
    [500, 13],
    [503, 13],
    [429, 11],
  ])(
    'a chart pauses for longer each time: HTTP %i on every request costs %i requests a day',
    async (code, count) => {
      serves.status = { US: code };
      await start();
      jumpTo(18);
      await look();
      const attempts: number[] = [];
      for (const minute of range(1, 359)) {
        const before = bill().length;
        clock.advance(MINUTE_MS);
        await look();
        if (bill().length > before) attempts.push(minute);
      }
      expect(attempts).toEqual([1, 3, 7, 15, 31, 63, 123, 183, 243, 303]);
      expect(bill()).toHaveLength(count);
      expect(countEvents('snapshotTaken')).toBe(0);
      // On a new day it begins anew.
      await passTo(24);
      jumpTo(18);
      await look();
      const first = bill().length;
      expect(first).toBeGreaterThan(count);
      // What cannot be read is not requested again for 10 minutes, by whomever.
      clock.advance(11 * MINUTE_MS);
      await look();
      expect(bill().length).toBeGreaterThan(first);
    },
  );

  it('begins with a short pause again after a page that came', async () => {
    serves.status = { 'US 2': 403 };
    await start();
    jumpTo(18);
    await look();
    expect(bill()).toEqual(pagesOf('US', 1, 2));
    for (const minutes of [1, 2]) {
      clock.advance(minutes * MINUTE_MS);
      await look();
    }
    serves.status = { 'US 4': 403 };
    clock.advance(4 * MINUTE_MS);
    await look();
    expect(bill().slice(2)).toEqual(pagesOf('US', 2, 2, 2, 3, 4));
    clock.advance(MINUTE_MS);
    await look();
    expect(bill().slice(7)).toEqual(pagesOf('US', 4));
    clock.advance(MINUTE_MS);
    await look();
    expect(bill()).toHaveLength(8);
  });

  it('leaves a chart alone for the day that KeyAPI refuses, and fetches the others', async () => {
    serves.status = { US: 400 };
    await start({ SNAPSHOT_CHARTS: `${US}:100,IN:LAST_7_DAYS:VIEWS:40` });
    await passTo(24);
    expect(bill()).toEqual([...pagesOf('US', 1), ...pagesOf('IN', 1, 2)]);
    await passTo(24);
    expect(bill().slice(3)).toEqual([...pagesOf('US', 1), ...pagesOf('IN', 1, 2)]);
  });

  it('spends no more than the budget, and goes on the next day', async () => {
    await start({ CREDIT_BUDGET_PER_DAY: '6' });
    jumpTo(18);
    await look();
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3));
    await passTo(24);
    expect(bill()).toHaveLength(3);
    // The pauses grow here, too: the log has a line for each of them.
    expect(countEvents('budgetRefused')).toBe(11);
    expect(countEvents('snapshotTaken')).toBe(0);
    await passTo(24);
    expect(bill().slice(3)).toEqual(pagesOf('US', 1, 2, 3));
    // Reported once the day has ended.
    expect(events).toContainEqual({
      type: 'snapshotMissed',
      chart: 'US:7:VIEWS',
      ranks: 100,
      knownRanks: 60,
    });
    expect(countEvents('snapshotMissed')).toBe(1);
  });
});

describe('the pages', () => {
  it('follow the size of the first one that comes', async () => {
    serves.pageSize = 10;
    await start({ SNAPSHOT_CHARTS: `${US}:40` });
    await passTo(24);
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3, 4));
    expect(events).toContainEqual({ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 40, pages: 4 });
  });

  it('have that size on the next day, when they are no longer fresh', async () => {
    serves.pageSize = 10;
    await start({ SNAPSHOT_CHARTS: `${US}:40` });
    await passTo(24);
    serves.pageSize = 20;
    await passTo(24);
    expect(bill().slice(4)).toEqual(pagesOf('US', 1, 2));
  });

  it('end with the chart', async () => {
    serves.length = 50;
    await start();
    await passTo(24);
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3));
    expect(events).toContainEqual({ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: 50, pages: 3 });
  });

  it('end with the chart, whatever length it claims', async () => {
    serves.length = 50;
    serves.claimedLength = 500;
    await start();
    await passTo(24);
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3));
  });

  it('are not fetched again when their rows cannot be read, nor when the chart is empty', async () => {
    serves.unreadable = [2];
    await start({ CACHE_TTL_SECONDS: '60', CACHE_STALE_SECONDS: '0' });
    await passTo(24);
    expect(bill()).toEqual(pagesOf('US', 1, 2, 3, 4, 5));
    serves.length = 0;
    await passTo(24);
    expect(bill().slice(5)).toEqual(pagesOf('US', 1));
    expect(countEvents('snapshotTaken')).toBe(1);
  });
});
