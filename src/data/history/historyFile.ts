import { z } from 'zod';
import { chartId, parseChartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import type { PageRanks } from '../../domain/ranks.ts';
import type { OnDataEvent } from '../events.ts';
import { createStoredFile, toDigest } from '../storedFile.ts';
import type { HistoryStore } from './historyStore.ts';
import { decodeRanks, encodeRanks } from './ranksText.ts';

/** See `createHistoryFile`. */
interface HistoryFileOptions {
  readonly file: string;
  /** Identifies where the charts come from: those of another source are not read. */
  readonly sourceId: string;
  readonly store: HistoryStore;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Carries ranks over a restart, and over a crash. No method throws: they emit events. */
export interface HistoryFile {
  /** Reads the file into the store, and checks that the file can be written. */
  read(): Promise<void>;
  /** Schedules a write within a minute, because ranks were recorded. */
  scheduleWrite(): void;
  /** Writes the store if something was noted since it was last written. From now on nothing is scheduled. */
  close(): Promise<void>;
}

/** Maximum delay between recording ranks and writing them: a crash loses at most this much. */
const WRITE_DELAY_MS = 60_000;

const NEWLINE = 10;

/** Changes with the form of a line, so that a file of another version is not misread: test/data/stored checks that it does. */
const VERSION = 1;

const headerSchema = z.object({
  format: z.literal('trending-graphql ranks'),
  version: z.literal(VERSION),
  source: z.string(),
  /** Unix milliseconds. */
  writtenAt: z.number(),
  /** Of all lines after the first, in hexadecimal. */
  sha256: z.string(),
});
type Header = z.infer<typeof headerSchema>;

/**
 * Carries ranks over a restart, in a file with a header as JSON, then a line for each page of ranks: the id of its chart, a
 * space and the text of `encodeRanks`. The least recently used chart is the first. The file is written while the process
 * runs, too: pages can be bought again after a crash, the ranks of a past day cannot. See `createStoredFile` for files that
 * cannot be read or written; a write that fails is tried again after a minute.
 */
export function createHistoryFile(options: HistoryFileOptions): HistoryFile {
  const { file, sourceId, store, clock, onEvent } = options;
  const stored = createStoredFile({
    file,
    sourceId,
    header: headerSchema,
    name: 'a file of ranks',
    content: 'ranks',
    onEvent,
  });
  /** Set while recorded ranks are not part of any write yet. */
  let timer: ReturnType<Clock['timers']['setTimeout']> | undefined;
  let lastWrite = Promise.resolve();
  let isClosed = false;

  function read(): Promise<void> {
    return stored.read((content) => {
      if (content && content.header.sha256 !== toDigest(content.body)) return false;
      if (content) load(content.body, store);
      onEvent({ type: 'historyFileRead', file: stored.path, chartDays: store.chartDays });
      return true;
    });
  }

  function scheduleWrite(): void {
    if (isClosed || !stored.isUsable) return;
    timer ??= clock.timers.setTimeout(write, WRITE_DELAY_MS);
  }

  /**
   * Writes never overlap: each waits for the previous one, and includes the ranks that were recorded in the meantime.
   */
  function write(): void {
    lastWrite = lastWrite.then(replaceFile);
  }

  async function replaceFile(): Promise<void> {
    if (timer === undefined) return;
    clock.timers.clearTimeout(timer);
    timer = undefined;
    const isWritten = await stored.write(() => {
      const body = encode(store);
      return { header: toHeader(body), body };
    });
    if (!isWritten) scheduleWrite();
  }

  function toHeader(body: Buffer): Header {
    return {
      format: 'trending-graphql ranks',
      version: VERSION,
      source: sourceId,
      writtenAt: clock.now(),
      sha256: toDigest(body),
    };
  }

  async function close(): Promise<void> {
    isClosed = true;
    write();
    await lastWrite;
  }

  return { read, scheduleWrite, close };
}

/** No more than a join of texts, without JSON: the process serves requests meanwhile. */
function encode(store: HistoryStore): Buffer {
  const lines: string[] = [];
  for (const { chart, days } of store.all()) {
    const id = chartId(chart);
    for (const { pages } of days) for (const page of pages) lines.push(`${id} ${encodeRanks(page)}\n`);
  }
  return Buffer.from(lines.join(''), 'latin1');
}

/** Adds the charts in their order. Lines that cannot be read are left out. */
function load(body: Buffer, store: HistoryStore): void {
  const pages = new Map<string, PageRanks[]>();
  for (const line of toLines(body)) {
    const idEnd = line.indexOf(' ');
    const id = line.slice(0, idEnd);
    const ranks = decodeRanks(line.slice(idEnd + 1));
    if (!ranks) continue;
    const ofChart = pages.get(id);
    if (ofChart) ofChart.push(ranks);
    else pages.set(id, [ranks]);
  }
  for (const [id, ofChart] of pages) {
    const chart = parseChartId(id);
    if (chart) store.add(chart, ofChart);
  }
}

/** Copies each line: a slice would retain the whole text in memory. */
function* toLines(body: Buffer): Generator<string> {
  let start = 0;
  for (let end = body.indexOf(NEWLINE); end >= 0; end = body.indexOf(NEWLINE, start)) {
    yield body.toString('latin1', start, end);
    start = end + 1;
  }
}
