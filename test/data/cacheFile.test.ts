import { once } from 'node:events';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createCacheFile } from '../../src/data/cacheFile.ts';
import type { DataEvent } from '../../src/data/events.ts';
import { StatsStore } from '../../src/data/stats/statsStore.ts';
import { createSpendingFile } from '../../src/data/upstream/spendingFile.ts';
import type { CachedPage } from '../../src/domain/page.ts';
import type { TrendingVideo } from '../../src/domain/trendingVideo.ts';
import { createOperation, createTestCache } from '../support/cache.ts';
import { createArraySource, makePage, makeVideos, US_VIEWS } from '../support/charts.ts';
import { createTestClock } from '../support/clock.ts';
import { createEvents, key, type PageSource } from '../support/sources.ts';

const START = Date.UTC(2026, 0, 1);

let folder: string;
let file: string;
let socket: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'cache-file-'));
  file = path.join(folder, 'pages.json');
});

afterEach(async () => {
  socket?.close();
  socket = undefined;
  await rm(folder, { recursive: true });
});

/** Listens on a socket in the folder; gives its path. */
async function listenOnSocket(): Promise<string> {
  const address = path.join(folder, 'socket');
  socket = createServer().listen(address);
  await once(socket, 'listening');
  return address;
}

/** A process that starts at this wall-clock time: pages are fresh for 1 s, then stale for 10 s. */
function startProcess(wallClock = START, source = 'https://api.keyapi.ai/', ttlMs = 1000) {
  const { source: pages, bill } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
  const clock = createTestClock(wallClock);
  const dated: PageSource = async (pageKey, options) => ({
    ...(await pages(pageKey, options)),
    fetchedAt: clock.now(),
  });
  const testCache = createTestCache(dated, { clock });
  const { events, onEvent } = createEvents();
  const { store } = testCache;
  const stats = new StatsStore({ clock, staleMs: 10_000, maxBytes: 2 ** 20 });
  const cacheFile = createCacheFile({
    file,
    sourceId: source,
    pages: store,
    stats,
    ttlMs,
    statsTtlMs: ttlMs,
    clock,
    onEvent,
  });
  const origin = async (number: number): Promise<string> =>
    (await testCache.cache.fetch(key(number), 20, createOperation())).origin;
  return { ...testCache, stats, bill, cacheFile, events, origin };
}

/** Page 1 as it is cached. */
function makeCachedPage(): CachedPage {
  return makePage(makeVideos(1, 20), 1, 20, { freshUntil: 1001 });
}

async function write(): Promise<void> {
  const { cacheFile, origin } = startProcess();
  await origin(1);
  await origin(2);
  await cacheFile.write();
}

describe('createCacheFile', () => {
  it('restores pages after a restart, at no cost, with the rest of their time to live', async () => {
    const before = startProcess();
    await before.origin(1);
    before.clock.advance(300);
    await before.origin(2);
    before.clock.advance(200);
    await before.cacheFile.write();
    expect(before.events.at(-1)).toEqual({ type: 'cacheFileWritten', file, pages: 2, stats: 0 });

    const after = startProcess(START + 800);
    await after.cacheFile.read();
    expect(after.events.at(-1)).toEqual({ type: 'cacheFileRead', file, pages: 2, stats: 0 });
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

  it('ignores a file whose pages lack a field, though its digests are right', async () => {
    const before = startProcess();
    const { duration: _, ...video } = makeVideos(1, 1)[0] as TrendingVideo;
    before.store.add({ ...makeCachedPage(), rows: [video as TrendingVideo] });
    await before.cacheFile.write();

    const after = startProcess(START + 100);
    await after.cacheFile.read();
    expect(after.events).toEqual([expect.objectContaining({ type: 'fileIgnored', file })]);
    expect(await after.origin(1)).toBe('fetched');
  });

  it('treats restored pages as older than new ones, and continues their generation', async () => {
    await write();
    const { cacheFile, store, clock } = startProcess(START + 100);
    await cacheFile.read();
    const { source } = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    const { cache } = createTestCache(source, { clock, store });
    await cache.fetch(key(3), 20, createOperation());
    expect(
      store.copies(US_VIEWS).map(({ number, generation, sequence }) => [number, generation, sequence]),
    ).toEqual([
      [3, 1, 3],
      [2, 1, 2],
      [1, 1, 1],
    ]);
  });

  it('restores expired pages as stale, and drops those that are too old even for that', async () => {
    await write();
    const stale = startProcess(START + 5000);
    await stale.cacheFile.read();
    expect(stale.cache.known(US_VIEWS).expired).toHaveLength(2);
    const gone = startProcess(START + 11_000);
    await gone.cacheFile.read();
    expect(gone.store.copies(US_VIEWS)).toEqual([]);
  });

  describe('with numbers on videos', () => {
    const stats = {
      views: 2 ** 40,
      likes: null,
      comments: 3,
      shares: 4,
      favorites: 5,
      publishedAt: START - 1,
      fetchedAt: START,
    };

    /** Writes the numbers of one video, and that another one is not known and a third one refused. */
    async function writeNumbers(): Promise<void> {
      const before = startProcess();
      const freshUntil = before.clock.monotonic() + 1000;
      before.stats.add({ itemId: '1', stats, freshUntil, isRefused: false });
      before.stats.add({ itemId: '2', stats: null, freshUntil, isRefused: false });
      before.stats.add({ itemId: '3', stats: null, freshUntil, isRefused: true });
      before.clock.advance(200);
      await before.cacheFile.write();
      expect(before.events.at(-1)).toEqual({ type: 'cacheFileWritten', file, pages: 0, stats: 3 });
    }

    it('restores them with the rest of their time to live', async () => {
      await writeNumbers();
      const after = startProcess(START + 500);
      await after.cacheFile.read();
      expect(after.events.at(-1)).toEqual({ type: 'cacheFileRead', file, pages: 0, stats: 3 });
      const freshUntil = after.clock.monotonic() + 500;
      expect(after.stats.all()).toMatchObject([
        { itemId: '1', stats, freshUntil, isRefused: false },
        { itemId: '2', stats: null, freshUntil, isRefused: false },
        { itemId: '3', stats: null, freshUntil, isRefused: true },
      ]);
      // Nothing was added since: the file is not written again.
      const { mtimeMs } = await stat(file);
      await after.cacheFile.write();
      expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    });

    it('extends no time to live when the wall clock was set back, or the setting was lowered', async () => {
      await writeNumbers();
      const back = startProcess(START - 3_600_000);
      await back.cacheFile.read();
      expect(back.stats.peek('1')).toMatchObject({
        stats: { fetchedAt: START - 3_600_000 },
        freshUntil: back.clock.monotonic() + 800,
      });
      const lowered = startProcess(START + 200, undefined, 100);
      await lowered.cacheFile.read();
      expect(lowered.stats.peek('1')?.freshUntil).toBe(lowered.clock.monotonic() + 100);
    });

    it('reads a file of release 0.1, which has none', async () => {
      await write();
      const [head = '', body = ''] = (await readFile(file, 'utf8')).split('\n');
      const { statsSha256: _, ...header } = JSON.parse(head);
      await writeFile(file, `${JSON.stringify(header)}\n${body}\n`);
      const after = startProcess(START + 100);
      await after.cacheFile.read();
      expect(after.events.at(-1)).toEqual({ type: 'cacheFileRead', file, pages: 2, stats: 0 });
    });

    it('sets the file aside when they are damaged', async () => {
      await writeNumbers();
      await writeFile(file, (await readFile(file, 'utf8')).replace(String(2 ** 40), '7'));
      const after = startProcess(START + 100);
      await after.cacheFile.read();
      expect(after.events).toContainEqual({
        type: 'fileIgnored',
        file,
        reason: 'it is damaged',
        isReplaced: true,
      });
      expect(after.stats.all()).toEqual([]);
    });
  });

  it('extends no time to live and makes no age negative when the wall clock was set back', async () => {
    const before = startProcess();
    await before.origin(1);
    before.clock.advance(400);
    await before.cacheFile.write();
    const { cacheFile, store, clock } = startProcess(START - 3_600_000);
    await cacheFile.read();
    const [page] = store.copies(US_VIEWS);
    expect(page?.freshUntil).toBe(clock.monotonic() + 600);
    expect(page?.fetchedAt).toBe(clock.now());
  });

  it('restores the time until covers expire', async () => {
    const before = startProcess();
    before.store.add({ ...makeCachedPage(), coversUntil: before.clock.monotonic() + 700 });
    await before.cacheFile.write();
    const after = startProcess(START + 200);
    await after.cacheFile.read();
    expect(after.store.copies(US_VIEWS)[0]?.coversUntil).toBe(after.clock.monotonic() + 500);
  });

  it('limits the time to live to the current setting', async () => {
    await write();
    const { cacheFile, store, clock } = startProcess(START, undefined, 100);
    await cacheFile.read();
    expect(store.copies(US_VIEWS)[0]?.freshUntil).toBe(clock.monotonic() + 100);
  });

  it('restores no pages when there is no file', async () => {
    const { cacheFile, events } = startProcess();
    await cacheFile.read();
    expect(events).toEqual([{ type: 'cacheFileRead', file, pages: 0, stats: 0 }]);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each<[string, (text: string) => string | Buffer, RegExp]>([
    ['is empty', () => '', /not a page cache/],
    ['is not text', () => Buffer.from([0, 255, 254, 10, 1]), /not a page cache/],
    ['is something else', () => '{"hello":"world"}\n[]\n', /not a page cache/],
    ['is of another version', (text) => text.replace(/"version":\d+/, '"version":0'), /not a page cache/],
    ['was cut off', (text) => text.slice(0, -100), /damaged/],
    ['was changed', (text) => text.replace('Video 7', 'Video 8'), /damaged/],
  ])('ignores a file that %s, and emits one event', async (_name, change, reason) => {
    await write();
    await writeFile(file, change(await readFile(file, 'utf8')));
    const { cacheFile, events, store } = startProcess();
    await cacheFile.read();
    expect(events).toEqual([
      { type: 'fileIgnored', file, reason: expect.stringMatching(reason), isReplaced: true },
    ]);
    expect(store.copies(US_VIEWS)).toEqual([]);
  });

  it('ignores a file of another upstream and leaves it unchanged, so that demo and real data never mix', async () => {
    await write();
    const before = await readFile(file, 'utf8');
    const { cacheFile, events, origin } = startProcess(START, 'emulator');
    await cacheFile.read();
    await origin(9);
    await cacheFile.write();
    expect(events).toMatchObject([{ type: 'fileIgnored', reason: expect.stringContaining('emulator') }]);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('renames an ignored file before it writes, and leaves it alone when there is nothing to write', async () => {
    await writeFile(file, 'my notes');
    for (const number of [undefined, 1]) {
      const { cacheFile, origin } = startProcess();
      await cacheFile.read();
      if (number !== undefined) await origin(number);
      else expect(await readFile(file, 'utf8')).toBe('my notes');
      await cacheFile.write();
    }
    expect(await readFile(`${file}.ignored`, 'utf8')).toBe('my notes');
    expect((await readdir(folder)).sort()).toEqual(['pages.json', 'pages.json.ignored']);
  });

  it('writes the file although the ignored one was deleted meanwhile', async () => {
    await writeFile(file, 'my notes');
    const { cacheFile, events, origin } = startProcess();
    await cacheFile.read();
    await rm(file);
    await origin(1);
    await cacheFile.write();
    expect(events.map(({ type }) => type)).toEqual(['fileIgnored', 'cacheFileWritten']);
    expect(await readdir(folder)).toEqual(['pages.json']);
  });

  it('does not write the file when no page was added', async () => {
    await write();
    const { cacheFile, events } = startProcess();
    await cacheFile.read();
    await cacheFile.write();
    expect(events.map(({ type }) => type)).toEqual(['cacheFileRead']);
  });

  it.each([
    ['is a folder', async () => folder],
    // A device would be replaced if this failed.
    ['is a socket', listenOnSocket],
  ])('ignores a path that %s, and does not write to it', async (_name, toFile) => {
    file = await toFile();
    const { cacheFile, events, origin } = startProcess();
    await cacheFile.read();
    await origin(1);
    await cacheFile.write();
    expect(events).toEqual([
      { type: 'fileIgnored', file, reason: 'it is not a regular file', isReplaced: false },
    ]);
  });

  it.each([
    ['its folder is missing', () => path.join(folder, 'missing', 'pages.json')],
    ['its folder is a file', () => path.join(folder, 'notes', 'pages.json')],
    ['its name is too long', () => path.join(folder, 'x'.repeat(300))],
  ])('emits one event, at the start, when %s', async (_name, toFile) => {
    await writeFile(path.join(folder, 'notes'), '');
    file = toFile();
    const { cacheFile, events, origin } = startProcess();
    await cacheFile.read();
    await origin(1);
    await cacheFile.write();
    expect(events.filter(({ type }) => type.startsWith('file'))).toHaveLength(1);
  });

  it.each([true, false])('writes through a symbolic link (to a file that exists: %p)', async (exists) => {
    if (exists) await write();
    const link = path.join(folder, 'link.json');
    await symlink('pages.json', link);
    const target = file;
    file = link;
    const { cacheFile, origin } = startProcess();
    await cacheFile.read();
    await origin(9);
    await cacheFile.write();
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toContain('Video 161');
  });

  it('replaces the file atomically: a failed write leaves the old file unchanged', async () => {
    await write();
    expect(await readdir(folder)).toEqual(['pages.json']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const before = await readFile(file, 'utf8');
    const { cacheFile, events, origin } = startProcess();
    await cacheFile.read();
    await origin(9);
    // This folder blocks the temporary file.
    await mkdir(`${file}.${process.pid}.tmp`);
    await cacheFile.write();
    expect(events.at(-1)).toMatchObject({ type: 'fileFailed', file });
    expect(await readFile(file, 'utf8')).toBe(before);
  });
});

describe('createSpendingFile', () => {
  function open(source = 'https://api.keyapi.ai') {
    const events: DataEvent[] = [];
    const onEvent = (event: DataEvent): void => void events.push(event);
    return { events, ...createSpendingFile({ file, sourceId: source, onEvent }) };
  }

  it('records what was spent', () => {
    open().write({ day: 20_454, credits: 6 });
    open().write({ day: 20_454, credits: 8 });
    const { read, events } = open();
    expect(read()).toEqual({ day: 20_454, credits: 8 });
    expect(events).toEqual([]);
  });

  it('records spending by source: demo data neither counts as real spending nor overwrites it', () => {
    open().write({ day: 20_454, credits: 6 });
    const demo = open('emulator');
    expect(demo.read()).toBeUndefined();
    demo.write({ day: 20_454, credits: 40 });
    expect(open().read()).toEqual({ day: 20_454, credits: 6 });
  });

  it('reads nothing when there is no file', () => {
    const { read, events } = open();
    expect(read()).toBeUndefined();
    expect(events).toEqual([]);
  });

  it.each(['', '{', '[]', '{"format":"trending-graphql credits","version":1,"spent":{"a":{"day":-1}}}'])(
    'ignores %p, and emits one event',
    async (text) => {
      await writeFile(file, text);
      const { read, events } = open();
      expect(read()).toBeUndefined();
      expect(events).toMatchObject([{ type: 'fileIgnored', file }]);
    },
  );

  it.each([
    ['is a folder', () => folder],
    ['is in a folder that is a file', () => path.join(folder, 'notes', 'credits')],
    ['has a name that is too long', () => path.join(folder, 'x'.repeat(300))],
  ])('emits one event and throws nothing when the file %s', async (_name, toFile) => {
    await writeFile(path.join(folder, 'notes'), '');
    file = toFile();
    const { write: writeSpending, events } = open();
    writeSpending({ day: 1, credits: 2 });
    writeSpending({ day: 1, credits: 4 });
    expect(events).toMatchObject([{ type: 'fileFailed', file }]);
  });
});
