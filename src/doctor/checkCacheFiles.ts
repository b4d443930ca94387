import path from 'node:path';
import type { Config } from '../config/loadConfig.ts';
import { sourceId } from '../config/sourceId.ts';
import { createCacheFile } from '../data/cacheFile.ts';
import type { DataEvent, OnDataEvent } from '../data/events.ts';
import { createHistoryFile } from '../data/history/historyFile.ts';
import { HistoryStore } from '../data/history/historyStore.ts';
import { PageStore } from '../data/pages/pageStore.ts';
import { StatsStore } from '../data/stats/statsStore.ts';
import type { Clock } from '../domain/clock.ts';
import type { Finding } from './finding.ts';

/**
 * Reads the cache file, and the history file beside it, as the server does at its start, and checks that they can be
 * written. Empty when there is no cache file.
 */
export async function checkCacheFiles(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const cacheFile = config.cache.file;
  const historyFile = config.history.file;
  return [
    ...(cacheFile === undefined
      ? []
      : [await checkFile('Cache file', cacheFile, createCacheFileReader(config, cacheFile, clock))]),
    ...(historyFile === undefined
      ? []
      : [await checkFile('History file', historyFile, createHistoryFileReader(config, historyFile, clock))]),
  ];
}

/** Reads a file as the server does. */
type ReadFile = (onEvent: OnDataEvent) => Promise<void>;

function createCacheFileReader(config: Config, file: string, clock: Clock): ReadFile {
  const { staleMs, pageBytes, statsBytes, ttlMs, statsTtlMs } = config.cache;
  const pages = new PageStore({ clock, staleMs, maxBytes: pageBytes });
  const stats = new StatsStore({ clock, staleMs, maxBytes: statsBytes });
  const options = { file, sourceId: sourceId(config), pages, stats, ttlMs, statsTtlMs, clock };
  return (onEvent) => createCacheFile({ ...options, onEvent }).read();
}

function createHistoryFileReader(config: Config, file: string, clock: Clock): ReadFile {
  const { days, maxBytes } = config.history;
  const store = new HistoryStore({ clock, days, maxBytes });
  const options = { file, sourceId: sourceId(config), store, clock };
  return (onEvent) => createHistoryFile({ ...options, onEvent }).read();
}

async function checkFile(part: string, file: string, read: ReadFile): Promise<Finding> {
  const events: DataEvent[] = [];
  await read((event) => void events.push(event));
  const findings = events.map((event) => ({ part, ...toFinding(event, file) }));
  return (
    findings.find(({ state }) => state === 'fix') ?? findings[0] ?? { part, ...toFinding(undefined, file) }
  );
}

function toFinding(event: DataEvent | undefined, file: string): Omit<Finding, 'part'> {
  switch (event?.type) {
    case 'fileFailed':
      return {
        state: 'fix',
        found: `cannot be written: ${event.reason}`,
        advice: `Create the folder ${path.dirname(path.resolve(file))}, and let this user (${userName()}) write to it`,
      };
    case 'fileIgnored':
      if (event.isReplaced) {
        const advice =
          'The server starts without its content, and renames it to .ignored when it writes a new one';
        return { state: 'note', found: `${file}: ${event.reason}`, advice };
      }
      return {
        state: 'fix',
        found: `${file} is not used: ${event.reason}`,
        advice: 'Set CACHE_FILE to another file',
      };
    case 'cacheFileRead':
      return { state: 'ok', found: `${file} has ${toContent(event)}, and can be written` };
    case 'historyFileRead':
      return { state: 'ok', found: `${file} has ${toRanks(event.chartDays)}, and can be written` };
    default:
      return { state: 'ok', found: `${file} can be written` };
  }
}

function toContent({ pages, stats }: { readonly pages: number; readonly stats: number }): string {
  const numbers = stats === 0 ? '' : ` and the numbers on ${stats} videos`;
  return `${pages === 0 ? 'no pages yet' : `${pages} pages`}${numbers}`;
}

function toRanks(chartDays: number): string {
  if (chartDays === 0) return 'no ranks yet';
  return `the ranks of ${chartDays} ${chartDays === 1 ? 'day' : 'days'} of charts`;
}

function userName(): string {
  return `uid ${process.getuid?.() ?? 'unknown'}`;
}
