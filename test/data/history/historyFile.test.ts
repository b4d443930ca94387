import { existsSync } from 'node:fs';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { History } from '../../../src/data/history/history.ts';
import { createHistoryFile } from '../../../src/data/history/historyFile.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { toDigest } from '../../../src/data/storedFile.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { makePage, makeVideo, makeVideos, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { fc } from '../../support/fastCheck.ts';
import { createEvents } from '../../support/sources.ts';
import { until } from '../../support/until.ts';

const TODAY = 20_454;
const START = TODAY * DAY_MS;
const MINUTE = 60_000;
const IN_LIKES: Chart = { region: 'IN', period: 30, orderBy: 'LIKES' };

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'history-file-'));
  file = path.join(folder, 'pages.json.history');
});

afterEach(() => rm(folder, { recursive: true }));

/** A process that starts at this wall-clock time, and has the ranks of three days. */
async function startProcess({ wallClock = START, source = 'https://api.keyapi.ai', maxBytes = 1e6 } = {}) {
  const clock = createTestClock(wallClock);
  const store = new HistoryStore({ clock, days: 3, maxBytes });
  const history = new History(store);
  const { events, onEvent } = createEvents();
  const historyFile = createHistoryFile({ file, sourceId: source, store, clock, onEvent });
  await historyFile.read();
  history.onNoted(historyFile.scheduleWrite);
  let sequence = wallClock * 1000;
  /** Notes the first page of a chart, whose first video is this one. */
  const note = (firstId = 1, chart = US_VIEWS, fetchedAt = clock.now()): void =>
    history.note(makePage(makeVideos(firstId, firstId + 2), 1, 20, { chart, fetchedAt }), ++sequence);
  /** What is known, the least recently used chart first. */
  const content = () =>
    store
      .all()
      .map(({ chart, days }) => ({ chart, pages: days.map(({ pages }) => pages) }))
      .filter(({ pages }) => pages.length > 0);
  const ids = () => content().flatMap(({ pages }) => pages.flat().map(({ itemIds }) => itemIds));
  return { clock, store, history, historyFile, events, note, content, ids };
}

/** Notes these videos, and writes the file. */
async function write(...firstIds: number[]): Promise<void> {
  const { historyFile, note } = await startProcess();
  for (const id of firstIds) note(id);
  await historyFile.close();
}

/** Whether the file has this text. There is no file for a moment while an ignored one is replaced. */
async function fileHas(text: string): Promise<boolean> {
  const content = await readFile(file, 'utf8').catch(() => '');
  return content.includes(text);
}

describe('createHistoryFile', () => {
  it('restores what was noted before a restart, and reports how many days of charts that are', async () => {
    const before = await startProcess();
    before.note(1);
    before.note(11, US_VIEWS, START - DAY_MS);
    before.note(21, IN_LIKES);
    await before.historyFile.close();
    const after = await startProcess({ wallClock: START + MINUTE });
    expect(after.content()).toEqual(before.content());
    expect(after.ids()).toEqual(['11,12,13', '1,2,3', '21,22,23']);
    expect(before.events).toEqual([{ type: 'historyFileRead', file, chartDays: 0 }]);
    expect(after.events).toEqual([{ type: 'historyFileRead', file, chartDays: 3 }]);
  });

  it('restores any ranks, and which charts were used last', async () => {
    const itemId = fc.oneof(fc.constant(null), fc.nat(40), fc.integer({ min: 1e9 }));
    const noted = fc.record({
      chart: fc.constantFrom(
        US_VIEWS,
        IN_LIKES,
        { ...IN_LIKES, region: 'GB' },
        { ...US_VIEWS, region: 'DE' },
      ),
      daysAgo: fc.integer({ min: -1, max: 4 }),
      number: fc.integer({ min: 1, max: 3 }),
      itemIds: fc.array(itemId, { maxLength: 4 }),
      isUsed: fc.boolean(),
    });
    let runs = 0;
    const property = fc.asyncProperty(fc.array(noted), fc.constantFrom(1500, 1e6), async (all, maxBytes) => {
      file = path.join(folder, String(++runs));
      const { history, historyFile, content } = await startProcess({ maxBytes });
      for (const [index, { chart, daysAgo, number, itemIds, isUsed }] of all.entries()) {
        const rows = itemIds.map((id) => (id === null ? null : makeVideo(id)));
        const fetchedAt = START - daysAgo * DAY_MS;
        history.note({ ...makePage([], number, 4, { chart, fetchedAt }), rows }, START + index);
        if (isUsed) history.onDay(US_VIEWS, TODAY);
      }
      await historyFile.close();
      expect((await startProcess({ maxBytes })).content()).toEqual(content());
    });
    await fc.assert(property, { numRuns: 60 });
    expect(runs).toBe(60);
  });

  it('writes a header, and a line for each page of ranks', async () => {
    const { historyFile, note } = await startProcess();
    note(1);
    note(21, IN_LIKES, START - DAY_MS);
    await historyFile.close();
    const [head = '', ...lines] = (await readFile(file, 'utf8')).split('\n');
    expect(JSON.parse(head)).toEqual({
      format: 'trending-graphql ranks',
      version: 1,
      source: 'https://api.keyapi.ai',
      writtenAt: START,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(lines).toEqual([
      `US:7:VIEWS ${START * 1000 + 1} ${START} 1 1,2,3`,
      `IN:30:LIKES ${START * 1000 + 2} ${START - DAY_MS} 1 21,22,23`,
      '',
    ]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual([path.basename(file)]);
  });

  it('drops days that are too old, and leaves a time in the future as it is', async () => {
    const before = await startProcess();
    before.note(1, US_VIEWS, START - DAY_MS);
    before.note(11, US_VIEWS, START + 5 * DAY_MS);
    await before.historyFile.close();
    const after = await startProcess({ wallClock: START + 2 * DAY_MS });
    const [known] = after.content();
    expect(known?.pages).toMatchObject([[{ itemIds: '11,12,13', fetchedAt: START + 5 * DAY_MS }]]);
    expect(after.events).toEqual([{ type: 'historyFileRead', file, chartDays: 1 }]);
  });

  describe('while the process runs', () => {
    it('is written a minute after the first note: a crash loses no more', async () => {
      const before = await startProcess();
      expect(before.clock.deadlines()).toEqual([]);
      before.note(1);
      before.note(11, IN_LIKES);
      expect(before.clock.deadlines()).toEqual([MINUTE]);
      expect(existsSync(file)).toBe(false);
      before.clock.expireDeadlines(MINUTE);
      await until(() => existsSync(file));
      expect(before.clock.deadlines()).toEqual([]);
      before.note(21);
      expect(before.clock.deadlines()).toEqual([MINUTE]);
      // Here it is killed.
      const after = await startProcess();
      expect(after.ids()).toEqual(['1,2,3', '11,12,13']);
      expect(after.events).toEqual([{ type: 'historyFileRead', file, chartDays: 2 }]);
    });

    it('has what is noted during a write in the next', async () => {
      const { clock, historyFile, note } = await startProcess();
      note(1);
      clock.expireDeadlines(MINUTE);
      // Now its content is made.
      await Promise.resolve();
      note(11, IN_LIKES);
      expect(clock.deadlines()).toEqual([MINUTE]);
      await until(() => existsSync(file));
      expect(await fileHas('11,12,13')).toBe(false);
      clock.expireDeadlines(MINUTE);
      await until(() => fileHas('11,12,13'));
      await historyFile.close();
      expect((await startProcess()).ids()).toEqual(['1,2,3', '11,12,13']);
    });

    it('is written once at a time', async () => {
      const { clock, historyFile, events, note } = await startProcess();
      for (const id of [1, 11, 21, 31]) {
        note(id);
        clock.expireDeadlines(MINUTE);
        await Promise.resolve();
      }
      note(41);
      await historyFile.close();
      expect(events.map(({ type }) => type)).toEqual(['historyFileRead']);
      expect((await startProcess()).ids()).toEqual(['41,42,43']);
    });

    it('is tried again after a write that failed, and emits one event until one succeeds', async () => {
      const { clock, historyFile, events, note } = await startProcess();
      const failures = () => events.filter(({ type }) => type === 'fileFailed').length;
      // This folder blocks the temporary file.
      const obstacle = `${file}.${process.pid}.tmp`;
      const failTwice = async (): Promise<void> => {
        await mkdir(obstacle);
        for (const _ of [1, 2]) {
          clock.expireDeadlines(MINUTE);
          await until(() => clock.deadlines().length > 0);
        }
        await rm(obstacle, { recursive: true });
      };
      note(1);
      await failTwice();
      expect(failures()).toBe(1);
      clock.expireDeadlines(MINUTE);
      await until(() => fileHas('1,2,3'));
      expect(clock.deadlines()).toEqual([]);
      note(11);
      await failTwice();
      expect(failures()).toBe(2);
      await historyFile.close();
      expect((await startProcess()).ids()).toEqual(['11,12,13']);
    });
  });

  describe('when it is closed', () => {
    it('has everything, and nothing is scheduled any more', async () => {
      const { clock, historyFile, note } = await startProcess();
      note(1);
      await historyFile.close();
      expect(await fileHas('1,2,3')).toBe(true);
      note(11);
      expect(clock.deadlines()).toEqual([]);
    });

    it('waits for a write, and writes what was noted during it', async () => {
      const { clock, historyFile, note } = await startProcess();
      note(1);
      clock.expireDeadlines(MINUTE);
      await Promise.resolve();
      note(11);
      await historyFile.close();
      expect(clock.deadlines()).toEqual([]);
      expect((await startProcess()).ids()).toEqual(['11,12,13']);
    });

    it('is not written when nothing was noted', async () => {
      await (await startProcess()).historyFile.close();
      expect(await readdir(folder)).toEqual([]);
      await write(1);
      const { mtimeMs } = await stat(file);
      await (await startProcess()).historyFile.close();
      expect((await stat(file)).mtimeMs).toBe(mtimeMs);
    });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['is empty', () => '', /not a file of ranks/],
    ['is something else', () => '{"hello":"world"}\n[]\n', /not a file of ranks/],
    ['is a page cache', (text) => text.replace('graphql ranks', 'graphql pages'), /not a file of ranks/],
    ['is of another version', (text) => text.replace(/"version":\d+/, '"version":0'), /not a file of ranks/],
    ['was cut off', (text) => text.slice(0, -3), /damaged/],
    ['lacks its end of line', (text) => text.slice(0, -1), /damaged/],
    ['has only a header', (text) => text.slice(0, text.indexOf('\n')), /damaged/],
    ['was changed', (text) => text.replace('1,2,3', '1,2,4'), /damaged/],
  ])('is ignored when it %s, and set aside when the next is written', async (_name, change, reason) => {
    await write(1);
    const changed = change(await readFile(file, 'utf8'));
    await writeFile(file, changed);
    const { historyFile, events, ids, note, clock } = await startProcess();
    expect(events).toEqual([
      { type: 'fileIgnored', file, reason: expect.stringMatching(reason), isReplaced: true },
    ]);
    expect(ids()).toEqual([]);
    note(11);
    clock.expireDeadlines(MINUTE);
    await until(() => fileHas('11,12,13'));
    note(21);
    await historyFile.close();
    // Not the file that this process wrote first.
    expect(await readFile(`${file}.ignored`, 'utf8')).toBe(changed);
    expect((await startProcess()).ids()).toEqual(['21,22,23']);
  });

  it('is read without the lines that no release has written', async () => {
    await write(1);
    const [head = '', line = ''] = (await readFile(file, 'utf8')).split('\n');
    const wrong = ['', 'US:7:VIEWS', line.replace('US', 'us'), line.replace('1,2,3', 'one'), line.slice(11)];
    const body = `${[...wrong, line, ...wrong].join('\n')}\n`;
    await writeFile(file, `${JSON.stringify({ ...JSON.parse(head), sha256: toDigest(body) })}\n${body}`);
    const { events, ids } = await startProcess();
    expect(ids()).toEqual(['1,2,3']);
    expect(events).toEqual([{ type: 'historyFileRead', file, chartDays: 1 }]);
  });

  it('is left alone when it is of another source', async () => {
    await write(1);
    const before = await readFile(file, 'utf8');
    const { clock, historyFile, events, ids, note } = await startProcess({ source: 'emulator' });
    note(11);
    expect(clock.deadlines()).toEqual([]);
    await historyFile.close();
    expect(ids()).toEqual(['11,12,13']);
    expect(events).toEqual([
      {
        type: 'fileIgnored',
        file,
        reason: 'its ranks come from https://api.keyapi.ai, not emulator',
        isReplaced: false,
      },
    ]);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  it('is not written when that cannot succeed, and emits one event at the start', async () => {
    file = path.join(folder, 'missing', 'pages.json.history');
    const { clock, historyFile, events, note } = await startProcess();
    expect(events.at(-1)).toMatchObject({ type: 'fileFailed', file });
    note(1);
    expect(clock.deadlines()).toEqual([]);
    await historyFile.close();
    expect(events.map(({ type }) => type)).toEqual(['historyFileRead', 'fileFailed']);
  });

  it.each([true, false])('may be a symbolic link (to a file that exists: %p)', async (exists) => {
    if (exists) await write(1);
    const target = file;
    file = path.join(folder, 'link');
    await symlink(path.basename(target), file);
    const { historyFile, ids, note } = await startProcess();
    expect(ids()).toEqual(exists ? ['1,2,3'] : []);
    note(11, IN_LIKES);
    await historyFile.close();
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect(await readFile(target, 'utf8')).toContain('11,12,13');
  });
});
