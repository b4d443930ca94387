import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { z } from 'zod';
import { cacheFileBody, createCacheFile } from '../../../src/data/cacheFile.ts';
import type { DataEvent } from '../../../src/data/events.ts';
import { createHistoryFile } from '../../../src/data/history/historyFile.ts';
import { HistoryStore } from '../../../src/data/history/historyStore.ts';
import { decodeRanks, encodeRanks } from '../../../src/data/history/ranksText.ts';
import { PageStore } from '../../../src/data/pages/pageStore.ts';
import { decodeValue, encodeBody, pageBody } from '../../../src/data/redis/pageValue.ts';
import { decodeError, encodeError } from '../../../src/data/redis/scripts/errorRecord.ts';
import { VALUES_VERSION } from '../../../src/data/redis/scripts/redisKeys.ts';
import { decodeStats, encodeStats, statsBody } from '../../../src/data/redis/statsValue.ts';
import { StatsStore } from '../../../src/data/stats/statsStore.ts';
import { type CachedPage, pageId, parsePageId } from '../../../src/domain/page.ts';
import { type PageRanks, toPageRanks } from '../../../src/domain/ranks.ts';
import { US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { createEvents } from '../../support/sources.ts';
import { FAILURE, PAGES, START, STATS } from './examples.ts';

/** How values are stored that outlive their process. */
export interface StoredForm {
  readonly name: string;
  /** Begins the names of its fixtures. */
  readonly id: string;
  /** Where its version is declared. */
  readonly declaration: string;
  readonly version: string;
  /** The examples as this code stores them. */
  readonly text: string;
  /** Which values can be stored. */
  readonly schema?: z.ZodType;
  /** What is read of a text: for `text` at least `examples`. */
  readonly read: (text: string) => Promise<unknown>;
  readonly examples: unknown;
}

const SOURCE = 'https://api.keyapi.ai';
const TTL_MS = 3_600_000;
const MAX_BYTES = 2 ** 20;
const RANKS: readonly PageRanks[] = [
  toPageRanks(PAGES[0] as CachedPage, 7),
  { firstRank: 41, itemIds: '', sequence: 6, fetchedAt: START },
];

/** All forms, with the examples in each of them. */
export async function createForms(): Promise<StoredForm[]> {
  return [await createCacheFileForm(), await createHistoryFileForm(), createRedisForm()];
}

async function createCacheFileForm(): Promise<StoredForm> {
  const open = (file: string) => {
    const clock = createTestClock(START);
    const pages = new PageStore({ clock, staleMs: TTL_MS, maxBytes: MAX_BYTES });
    const stats = new StatsStore({ clock, staleMs: TTL_MS, maxBytes: MAX_BYTES });
    const { events, onEvent } = createEvents();
    const times = { ttlMs: TTL_MS, statsTtlMs: TTL_MS, clock };
    const cacheFile = createCacheFile({ file, sourceId: SOURCE, pages, stats, ...times, onEvent });
    return { ...cacheFile, pages, stats, events };
  };
  const text = await writeText(async (file) => {
    const { pages, stats, write } = open(file);
    for (const page of PAGES) pages.add(page);
    for (const entry of STATS) stats.add(entry);
    await write();
  });
  return {
    name: 'the cache file',
    id: 'cacheFile',
    declaration: 'VERSION in src/data/cacheFile.ts',
    version: versionOf(text),
    text,
    schema: cacheFileBody,
    examples: { pages: PAGES, stats: STATS },
    read: (stored) =>
      readText(stored, async (file) => {
        const { read, pages, stats, events } = open(file);
        await read();
        return { pages: pages.all(), stats: stats.all(), events };
      }),
  };
}

async function createHistoryFileForm(): Promise<StoredForm> {
  const open = (file: string) => {
    const clock = createTestClock(START);
    const store = new HistoryStore({ clock, days: 3, maxBytes: MAX_BYTES });
    const { events, onEvent } = createEvents();
    const historyFile = createHistoryFile({ file, sourceId: SOURCE, store, clock, onEvent });
    return { ...historyFile, store, events };
  };
  const text = await writeText(async (file) => {
    const { store, scheduleWrite, close } = open(file);
    store.add(US_VIEWS, RANKS);
    scheduleWrite();
    await close();
  });
  return {
    name: 'the history file',
    id: 'historyFile',
    declaration: 'VERSION in src/data/history/historyFile.ts',
    version: versionOf(text),
    text,
    examples: { ranks: RANKS.slice(0, 1) },
    read: (stored) =>
      readText(stored, async (file) => {
        const { read, store, events } = open(file);
        await read();
        const ranks = store.all().flatMap(({ days }) => days.flatMap(({ pages }) => pages));
        return { ranks, events };
      }),
  };
}

/** Values as lines: a key, the value's line of text if it has one, and its body, which of a page is not deflated. */
function createRedisForm(): StoredForm {
  const times = { fetchedAt: START, freshUntil: START + TTL_MS };
  const pages = PAGES.map((page) => {
    const head = `${page.sequence} ${page.generation} ${START + TTL_MS} 0 ${pageId(page)}`;
    return [`page:${pageId(page)}`, head, inflateSync(encodeBody(page)).toString()];
  });
  const stats = STATS.map((entry) => [
    `stats:${entry.itemId}`,
    encodeStats({ itemId: entry.itemId, stats: entry.stats, isRefused: entry.isRefused, ...times }),
  ]);
  const ranks = RANKS.map((page) => ['ranks', encodeRanks(page)]);
  const lines = [...pages, ...stats, ...ranks, ['failure', encodeError(FAILURE)]];
  return {
    name: 'Redis',
    id: 'redis',
    declaration: 'VALUES_VERSION in src/data/redis/scripts/redisKeys.ts',
    version: VALUES_VERSION,
    text: `${lines.map((parts) => parts.join('\n')).join('\n\n')}\n`,
    schema: z.object({ page: pageBody, stats: statsBody }),
    examples: {
      pages: PAGES.map(({ freshUntil: _1, coversUntil: _2, sequence, generation, ...page }) => ({
        sequence,
        generation,
        page,
      })),
      stats: STATS.map(({ freshUntil: _, ...entry }) => entry),
      ranks: RANKS,
      failures: [{ code: FAILURE.code, message: FAILURE.message, upstream: FAILURE.upstream }],
    },
    read: async (stored) => {
      const values = stored.trimEnd().split('\n\n').map(splitKey);
      const ofKind = (kind: string) => values.filter(({ key }) => key.startsWith(kind));
      return {
        pages: ofKind('page:').map(({ key, value }) => decodePage(key.slice('page:'.length), value)),
        stats: ofKind('stats:').map(({ key, value }) =>
          decodeStats(Buffer.from(value), key.slice('stats:'.length)),
        ),
        ranks: ofKind('ranks').map(({ value }) => decodeRanks(value)),
        failures: ofKind('failure').map(({ value }) => decodeError(value)),
      };
    },
  };
}

function decodePage(id: string, value: string): unknown {
  const key = parsePageId(id);
  const [head, body = ''] = value.split('\n');
  return key && decodeValue(Buffer.concat([Buffer.from(`${head}\n`), deflateSync(body)]), key);
}

function splitKey(text: string): { readonly key: string; readonly value: string } {
  const end = text.indexOf('\n');
  return { key: text.slice(0, end), value: text.slice(end + 1) };
}

/** The version in the header of a file. */
function versionOf(text: string): string {
  const [header = ''] = text.split('\n');
  return `v${JSON.parse(header).version}`;
}

/** The text of the file that `write` writes. */
function writeText(write: (file: string) => Promise<void>): Promise<string> {
  return withFile(async (file) => {
    await write(file);
    return readFile(file, 'utf8');
  });
}

/** What `read` reads of a file with this text. */
function readText<Content extends { readonly events: readonly DataEvent[] }>(
  text: string,
  read: (file: string) => Promise<Content>,
): Promise<Content> {
  return withFile(async (file) => {
    await writeFile(file, text);
    return read(file);
  });
}

/** Runs `use` with a path in a folder of its own. */
async function withFile<Result>(use: (file: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'stored-'));
  return use(path.join(folder, 'file')).finally(() => rm(folder, { recursive: true }));
}
