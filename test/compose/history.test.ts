import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { DAY_MS, toUtcDay } from '../../src/domain/utcDay.ts';
import { createEmulator, type Emulator } from '../../src/keyapi/emulator/emulator.ts';
import type { AppEvent } from '../../src/observe/appEvent.ts';
import { startApp, startEmulatedApp, type TestApp, TOKEN } from '../support/app.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 1);
const FIRST_PAGE =
  'query ($region: CountryCode!) { trendingVideos(region: $region, first: 20) { edges { rank } } }';

let folder: string;
let file: string;
let clock: TestClock;
let emulator: Emulator;
let baseUrl: URL;
let apps: TestApp[];
let events: AppEvent[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'history-'));
  file = path.join(folder, 'pages.json');
  clock = createTestClock(START);
  emulator = createEmulator({ token: TOKEN, now: clock.now });
  baseUrl = await emulator.listen();
  apps = [];
  events = [];
});

afterEach(async () => {
  for (const app of apps) await app.close();
  await emulator.close();
  await rm(folder, { recursive: true });
});

async function start(variables: Record<string, string> = {}): Promise<TestApp> {
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  const app = await startApp(baseUrl, { CACHE_FILE: file, ...variables }, { clock, onEvent });
  apps.push(app);
  return app;
}

async function readChart({ query }: Pick<TestApp, 'query'>, region: string): Promise<void> {
  expect(await query(FIRST_PAGE, { region })).not.toHaveProperty('errors');
}

/** What is in the file, in its order. */
async function readRanks() {
  const [, ...lines] = (await readFile(`${file}.history`, 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const [chart, , time] = line.split(' ');
    const fetchedAt = Number(time);
    return { chart, fetchedAt, day: toUtcDay(fetchedAt) - toUtcDay(START) };
  });
}

async function readDays(): Promise<string[]> {
  return (await readRanks()).map(({ chart, day }) => `${chart} ${day}`);
}

describe('the history file', () => {
  it('has the ranks of pages that were fetched, over a restart on the next day', async () => {
    const before = await start();
    await readChart(before, 'US');
    await before.close();
    expect(await readDays()).toEqual(['US:7:VIEWS 0']);
    clock.advance(DAY_MS);
    const after = await start();
    expect(events).toContainEqual({ type: 'historyFileRead', file: `${file}.history`, chartDays: 1 });
    await readChart(after, 'US');
    await readChart(after, 'DE');
    await after.close();
    expect(await readDays()).toEqual(['US:7:VIEWS 0', 'US:7:VIEWS 1', 'DE:7:VIEWS 1']);
    expect((await readdir(folder)).sort()).toEqual(['pages.json', 'pages.json.history']);
  });

  it('is written while the server runs, without an event: after a crash, the last minute is missing', async () => {
    const before = await start();
    await readChart(before, 'US');
    expect(existsSync(`${file}.history`)).toBe(false);
    clock.expireDeadlines(MINUTE);
    await until(() => existsSync(`${file}.history`));
    await readChart(before, 'DE');
    expect(events.map(({ type }) => type).filter((type) => /file/i.test(type))).toEqual([
      'cacheFileRead',
      'historyFileRead',
    ]);
    // As after a crash: the first process does nothing more.
    expect(existsSync(file)).toBe(false);
    await start();
    expect(events).toContainEqual(expect.objectContaining({ type: 'historyFileRead', chartDays: 1 }));
  });

  it('has pages that arrive while the server closes', async () => {
    const app = await startEmulatedApp({}, { CACHE_FILE: file }, { clock });
    await readChart(app, 'US');
    clock.advance(2 * HOUR);
    const release = app.holdUpstream();
    // Served stale, while the page is refreshed.
    await readChart(app, 'US');
    await app.seeRequests(2);
    const closed = app.close();
    release();
    await closed;
    expect(await readRanks()).toEqual([expect.objectContaining({ fetchedAt: clock.now() })]);
  });

  it.each([
    ['HISTORY_DAYS is 0', { HISTORY_DAYS: '0' }],
    ['there is no CACHE_FILE', { CACHE_FILE: '' }],
  ])('is neither read nor written when %s', async (_name, variables) => {
    const app = await start(variables);
    await readChart(app, 'US');
    expect(clock.deadlines()).not.toContain(MINUTE);
    await app.close();
    expect(events.some(({ type }) => type === 'historyFileRead')).toBe(false);
    expect(existsSync(`${file}.history`)).toBe(false);
  });
});
