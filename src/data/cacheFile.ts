import { createHash } from 'node:crypto';
import { readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { parseJson } from '../domain/json.ts';
import type { CachedPage } from '../domain/page.ts';
import type { OnDataEvent } from './events.ts';
import type { PageStore } from './pages/pageStore.ts';
import type { CachedStats, StatsStore } from './stats/statsStore.ts';

/** See `createCacheFile`. */
interface CacheFileOptions {
  readonly file: string;
  /** Identifies where the data comes from: that of another source is not read. */
  readonly sourceId: string;
  readonly pages: PageStore;
  readonly stats: StatsStore;
  /** Bound the time to live that is left, of pages and numbers: the settings may have changed since the file was written. */
  readonly ttlMs: number;
  readonly statsTtlMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Carries pages and numbers over a restart. Neither method throws: both emit events. */
export interface CacheFile {
  /** Reads the file into the stores, and checks that the file can be written. */
  read(): Promise<void>;
  /** Writes the stores to the file, unless nothing was added since it was read. */
  write(): Promise<void>;
}

/** Changes with the format of a page, so that a file of another version is not misread. */
const VERSION = 1;

const headerSchema = z.object({
  format: z.literal('trending-graphql pages'),
  version: z.literal(VERSION),
  source: z.string(),
  /** Unix milliseconds. */
  writtenAt: z.number(),
  /** Of the line with the pages, in hexadecimal. */
  sha256: z.string(),
  /** Of the line with the numbers; absent in a file of release 0.1, which has none. */
  statsSha256: z.string().optional(),
});
type Header = z.infer<typeof headerSchema>;

/** A page in the file, where its sequence number is called `order`. */
type PageRecord = Omit<CachedPage, 'sequence'> & { readonly order: CachedPage['sequence'] };

/**
 * Carries pages and numbers over a restart, in a file of three lines: a header, the pages and the numbers as JSON. While no
 * process runs, they age by the wall clock; a restart never extends their time to live. A file that cannot be trusted is ignored,
 * and renamed to `.ignored` before it is replaced; a file of another source is left alone.
 */
export function createCacheFile(options: CacheFileOptions): CacheFile {
  const { sourceId, pages, stats, clock, onEvent } = options;
  /** Symbolic links resolved: writing would replace them. */
  let file = options.file;
  let isUsable = true;
  let mustSetAside = false;
  let changesRead = countChanges();
  /** In the same folder: a rename is atomic only within a file system. */
  const temporary = (): string => `${file}.${process.pid}.tmp`;

  async function read(): Promise<void> {
    const text = await readRegularFile();
    if (text !== undefined) load(text);
    if (isUsable) await probe();
    changesRead = countChanges();
  }

  function countChanges(): number {
    return pages.changes + stats.changes;
  }

  async function readRegularFile(): Promise<string | undefined> {
    try {
      file = await realpath(file);
      if ((await stat(file)).isFile()) return await readFile(file, 'utf8');
      leaveAlone('it is not a regular file');
    } catch (error) {
      if (!isMissing(error)) leaveAlone(toReason(error));
      else {
        file = await readlink(file).then(
          (target) => path.resolve(path.dirname(file), target),
          () => file,
        );
        onEvent({ type: 'cacheFileRead', file, pages: 0, stats: 0 });
      }
    }
    return undefined;
  }

  function load(text: string): void {
    const [head = '', body = '', statsBody = ''] = text.split('\n');
    const header = headerSchema.safeParse(parseJson(head));
    if (!header.success) setAside('it is not a page cache of this version');
    else if (header.data.source !== sourceId) {
      leaveAlone(`its pages come from ${header.data.source}, not ${sourceId}`);
    } else if (isDamaged(header.data, body, statsBody)) setAside('it is damaged');
    else {
      const downtimeMs = Math.max(0, clock.now() - header.data.writtenAt);
      // The digests show that this version wrote it.
      for (const record of JSON.parse(body) as PageRecord[])
        pages.add(restorePage(fromRecord(record), downtimeMs));
      for (const entry of JSON.parse(statsBody || '[]') as CachedStats[])
        stats.add(restoreStats(entry, downtimeMs));
      onEvent({ type: 'cacheFileRead', file, ...countAll() });
    }
  }

  /** Checked at the start: at the end it would be too late to save the pages. */
  async function probe(): Promise<void> {
    try {
      await writeFile(temporary(), '');
      await rm(temporary());
    } catch (error) {
      isUsable = false;
      onEvent({ type: 'fileFailed', file, reason: toReason(error) });
    }
  }

  async function write(): Promise<void> {
    if (!isUsable || countChanges() === changesRead) return;
    try {
      const body = JSON.stringify(pages.all().map((page) => toRecord(shift(page, -clock.monotonic()))));
      const statsBody = JSON.stringify(stats.all().map((entry) => shiftStats(entry, -clock.monotonic())));
      const header: Header = {
        format: 'trending-graphql pages',
        version: VERSION,
        source: sourceId,
        writtenAt: clock.now(),
        sha256: digest(body),
        statsSha256: digest(statsBody),
      };
      const text = `${[JSON.stringify(header), body, statsBody].join('\n')}\n`;
      await writeFile(temporary(), text, { mode: 0o600 });
      if (mustSetAside) await rename(file, `${file}.ignored`);
      await rename(temporary(), file);
      onEvent({ type: 'cacheFileWritten', file, ...countAll() });
    } catch (error) {
      await rm(temporary(), { force: true }).catch(() => undefined);
      onEvent({ type: 'fileFailed', file, reason: toReason(error) });
    }
  }

  function countAll(): { readonly pages: number; readonly stats: number } {
    return { pages: pages.all().length, stats: stats.all().length };
  }

  /** The page after `downtimeMs`. Its age is never negative, even if the wall clock was set back. */
  function restorePage(page: CachedPage, downtimeMs: number): CachedPage {
    const now = clock.monotonic();
    const restored = shift(page, now - downtimeMs);
    return {
      ...restored,
      freshUntil: Math.min(restored.freshUntil, now + options.ttlMs),
      fetchedAt: Math.min(page.fetchedAt, clock.now()),
    };
  }

  /** The numbers after `downtimeMs`, likewise. */
  function restoreStats(entry: CachedStats, downtimeMs: number): CachedStats {
    const now = clock.monotonic();
    const { freshUntil } = shiftStats(entry, now - downtimeMs);
    return {
      ...entry,
      stats: entry.stats && { ...entry.stats, fetchedAt: Math.min(entry.stats.fetchedAt, clock.now()) },
      freshUntil: Math.min(freshUntil, now + options.statsTtlMs),
    };
  }

  /** Ignores the file, and does not write to it either: it may belong to somebody else. */
  function leaveAlone(reason: string): void {
    isUsable = false;
    onEvent({ type: 'fileIgnored', file, reason, isReplaced: false });
  }

  /** Ignores the file; it is renamed when the store is written. */
  function setAside(reason: string): void {
    mustSetAside = true;
    onEvent({ type: 'fileIgnored', file, reason, isReplaced: true });
  }

  return { read, write };
}

function toRecord({ sequence, ...page }: CachedPage): PageRecord {
  return { ...page, order: sequence };
}

function fromRecord({ order, ...page }: PageRecord): CachedPage {
  return { ...page, sequence: order };
}

/** The page with its monotonic times shifted: the monotonic clock starts anew in each process. */
function shift(page: CachedPage, ms: number): CachedPage {
  const { freshUntil, coversUntil } = page;
  return {
    ...page,
    freshUntil: freshUntil + ms,
    coversUntil: coversUntil === null ? null : coversUntil + ms,
  };
}

function shiftStats(entry: CachedStats, ms: number): CachedStats {
  return { ...entry, freshUntil: entry.freshUntil + ms };
}

function isDamaged({ sha256, statsSha256 }: Header, body: string, statsBody: string): boolean {
  return sha256 !== digest(body) || (statsSha256 !== undefined && statsSha256 !== digest(statsBody));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

function toReason(error: unknown): string {
  return (error as Error).message;
}
