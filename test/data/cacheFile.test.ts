import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCacheFile } from '../../src/data/cacheFile.ts';
import type { DataEvent } from '../../src/data/events.ts';
import { createSpendingFile } from '../../src/data/spendingFile.ts';
import { createOperation, createTestCache } from '../support/cache.ts';
import { createArraySource, makeVideos, US_VIEWS } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { key } from '../support/sources.ts';

const START = Date.UTC(2026, 0, 1);

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cache-file-'));
  file = path.join(folder, 'new', 'pages.json');
});

afterEach(() => rm(folder, { recursive: true }));

/** A process that started at this moment of the wall clock: 1 s fresh, 10 s stale. */
function startProcess(wallClock = START, source = 'https://api.keyapi.ai/', ttlMs = 1000) {
  const { source: pages, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
  const made = createTestCache(pages, { clock: createTestClock(wallClock) });
  const cacheFile = createCacheFile({ ...made, file, source, ttlMs });
  const origin = async (number: number): Promise<string> =>
    (await made.cache.fetch(key(number), createOperation())).origin;
  return { ...made, bill, cacheFile, origin };
}

async function write(): Promise<void> {
  const { cacheFile, origin } = startProcess();
  await origin(1);
  await origin(2);
  await cacheFile.write();
}

describe('createCacheFile', () => {
  it('keeps pages over a restart, at no cost, with what is left of their lives', async () => {
    const before = startProcess();
    await before.origin(1);
    before.clock.advance(300);
    await before.origin(2);
    before.clock.advance(200);
    await before.cacheFile.write();
    expect(before.events.at(-1)).toEqual({ type: 'cacheFileWritten', file, pages: 2 });

    const after = startProcess(START + 800);
    await after.cacheFile.read();
    expect(after.events.at(-1)).toEqual({ type: 'cacheFileRead', file, pages: 2 });
    expect([await after.origin(1), await after.origin(2)]).toEqual(['cached', 'cached']);
    expect(after.bill).toEqual([]);
    const [page] = after.store.copies(US_VIEWS);
    expect(page?.rows[0]).toEqual(makeVideos(21, 21)[0]);
    // 1 s after the first was fetched: 500 ms in the first process, 300 ms between, 200 ms here.
    after.clock.advance(199);
    expect(await after.origin(1)).toBe('cached');
    after.clock.advance(1);
    expect(await after.origin(1)).toBe('fetched');
  });

  it('takes what it read for older than what comes, and goes on with its generation', async () => {
    await write();
    const { cacheFile, store, clock, onEvent } = startProcess(START + 100);
    await cacheFile.read();
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const { cache } = createTestCache(source, { clock, store, onEvent });
    await cache.fetch(key(3), createOperation());
    expect(
      store.copies(US_VIEWS).map(({ number, generation, order }) => [number, generation, order]),
    ).toEqual([
      [3, 1, 2],
      [2, 1, 1],
      [1, 1, 0],
    ]);
  });

  it('has pages that are past their time to live as stale ones, and drops what is past even that', async () => {
    await write();
    const stale = startProcess(START + 5000);
    await stale.cacheFile.read();
    expect(stale.cache.known(US_VIEWS).expired).toHaveLength(2);
    const gone = startProcess(START + 11_000);
    await gone.cacheFile.read();
    expect(gone.cache.views(US_VIEWS)).toEqual([]);
  });

  it('makes no life longer, nor an age negative, when the wall clock was set back', async () => {
    await write();
    const { cacheFile, store, clock } = startProcess(START - 3_600_000);
    await cacheFile.read();
    const [page] = store.copies(US_VIEWS);
    expect(page?.freshUntil).toBe(clock.monotonic() + 1000);
    expect(page?.fetchedAt).toBeLessThanOrEqual(clock.now());
  });

  it('makes no life longer than it is by now', async () => {
    await write();
    const { cacheFile, store, clock } = startProcess(START, undefined, 100);
    await cacheFile.read();
    expect(store.copies(US_VIEWS)[0]?.freshUntil).toBe(clock.monotonic() + 100);
  });

  it('reads nothing where there is none, and says nothing', async () => {
    const { cacheFile, events } = startProcess();
    await cacheFile.read();
    expect(events).toEqual([]);
  });

  it.each<[string, (text: string) => string | Buffer, RegExp]>([
    ['is empty', () => '', /not a page cache/],
    ['is no text', () => Buffer.from([0, 255, 254, 10, 1]), /not a page cache/],
    ['is something else', () => '{"hello":"world"}\n[]\n', /not a page cache/],
    ['is of another version', (text) => text.replace('"version":1', '"version":0'), /not a page cache/],
    ['was cut off', (text) => text.slice(0, -100), /damaged/],
    ['was changed', (text) => text.replace('Video 7', 'Video 8'), /damaged/],
  ])('ignores a file that %s, with one event', async (_name, change, reason) => {
    await write();
    await writeFile(file, change(await readFile(file, 'utf8')));
    const { cacheFile, events, cache } = startProcess();
    await cacheFile.read();
    expect(events).toEqual([{ type: 'cacheFileIgnored', file, reason: expect.stringMatching(reason) }]);
    expect(cache.views(US_VIEWS)).toEqual([]);
  });

  it('ignores pages of another upstream: demo data is not shown for real', async () => {
    await write();
    const { cacheFile, events } = startProcess(START, 'emulator');
    await cacheFile.read();
    expect(events).toMatchObject([{ type: 'cacheFileIgnored', reason: expect.stringContaining('emulator') }]);
  });

  it('ignores what cannot be read, and tells of what cannot be written', async () => {
    file = folder;
    const { cacheFile, events, origin } = startProcess();
    await cacheFile.read();
    await origin(1);
    await cacheFile.write();
    expect(events.map(({ type }) => type)).toEqual(['cacheFileIgnored', 'cacheFileFailed']);
    expect((await readdir(path.dirname(folder))).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('replaces the file in one step, and leaves nothing beside it', async () => {
    await write();
    await write();
    expect(await readdir(path.dirname(file))).toEqual(['pages.json']);
  });
});

describe('createSpendingFile', () => {
  function open() {
    const events: DataEvent[] = [];
    return { events, ...createSpendingFile(file, (event) => void events.push(event)) };
  }

  it('keeps what was spent', () => {
    open().write({ day: 20_454, credits: 6 });
    const { read, events } = open();
    expect(read()).toEqual({ day: 20_454, credits: 6 });
    expect(events).toEqual([]);
  });

  it('knows nothing where there is none', () => {
    const { read, events } = open();
    expect(read()).toBeUndefined();
    expect(events).toEqual([]);
  });

  it.each(['', '{', '[]', '{"format":"trending-graphql credits","version":1,"day":-1,"credits":2}'])(
    'ignores %p, with one event',
    async (text) => {
      open().write({ day: 1, credits: 2 });
      await writeFile(file, text);
      const { read, events } = open();
      expect(read()).toBeUndefined();
      expect(events).toMatchObject([{ type: 'cacheFileIgnored', file }]);
    },
  );

  it('tells once that it cannot be written', () => {
    file = folder;
    const { write: writeSpending, events } = open();
    writeSpending({ day: 1, credits: 2 });
    writeSpending({ day: 1, credits: 4 });
    expect(events).toMatchObject([{ type: 'cacheFileFailed', file }]);
  });
});
