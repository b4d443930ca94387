import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import type { CachedPage } from '../domain/page.ts';
import type { ServedStats } from '../domain/videoStats.ts';
import type { OnDataEvent } from './events.ts';
import type { PageStore } from './pages/pageStore.ts';
import type { CachedStats, StatsStore } from './stats/statsStore.ts';
import { type FieldsOf, pageFields, statsFields, videoFields } from './storedFields.ts';
import { createStoredFile, toDigest } from './storedFile.ts';

/** See `createCacheFile`. */
interface CacheFileOptions {
  readonly file: string;
  /** Identifies where the data comes from: that of another source is not read. */
  readonly sourceId: string;
  readonly pages: PageStore;
  readonly stats: StatsStore;
  /**
   * Limits of the remaining time to live of pages and numbers: the settings may have changed since the file was
   * written.
   */
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

/** Changes with the form of the body, so that a file of another version is not misread: test/data/stored checks that it does. */
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
const pageRecord = z.object({
  ...pageFields,
  order: z.number(),
  generation: z.number(),
  freshUntil: z.number(),
  coversUntil: z.number().nullable(),
} satisfies FieldsOf<Omit<CachedPage, 'sequence'> & { readonly order: CachedPage['sequence'] }>);
type PageRecord = z.infer<typeof pageRecord>;

/** The numbers on a video in the file. */
const statsRecord = z.object({
  itemId: videoFields.itemId,
  stats: z.object({ ...statsFields, stale: z.boolean() } satisfies FieldsOf<ServedStats>).nullable(),
  freshUntil: z.number(),
  isRefused: z.boolean(),
} satisfies FieldsOf<CachedStats>);

/** What the file contains after its header. */
export const cacheFileBody = z.object({ pages: z.array(pageRecord), stats: z.array(statsRecord) });
type CacheFileBody = z.infer<typeof cacheFileBody>;

/**
 * Carries pages and numbers over a restart, in a file of three lines: a header, the pages and the numbers as JSON. While no
 * process runs, they age by the wall clock; a restart never extends their time to live. See `createStoredFile` for files that
 * cannot be read or written.
 */
export function createCacheFile(options: CacheFileOptions): CacheFile {
  const { file, sourceId, pages, stats, clock, onEvent } = options;
  const stored = createStoredFile({
    file,
    sourceId,
    header: headerSchema,
    name: 'a page cache',
    content: 'pages',
    onEvent,
  });
  let changesRead = countChanges();

  async function read(): Promise<void> {
    await stored.read((content) => {
      if (content && !load(content.header, content.body)) return false;
      onEvent({ type: 'cacheFileRead', file: stored.path, ...countAll() });
      return true;
    });
    changesRead = countChanges();
  }

  function countChanges(): number {
    return pages.changes + stats.changes;
  }

  /** Returns false when the content is damaged. */
  function load(header: Header, content: Buffer): boolean {
    const [body = '', statsBody = ''] = content.toString('utf8').split('\n');
    if (isDamaged(header, body, statsBody)) return false;
    const data: CacheFileBody = { pages: JSON.parse(body), stats: JSON.parse(statsBody || '[]') };
    // The digests show that one server wrote all of it: the first records say whether they have the fields of this one.
    const samples = { pages: data.pages.slice(0, 1), stats: data.stats.slice(0, 1) };
    if (!cacheFileBody.safeParse(samples).success) return false;
    const downtimeMs = Math.max(0, clock.now() - header.writtenAt);
    for (const record of data.pages) pages.add(restorePage(fromRecord(record), downtimeMs));
    for (const entry of data.stats) stats.add(restoreStats(entry, downtimeMs));
    return true;
  }

  async function write(): Promise<void> {
    if (countChanges() === changesRead) return;
    const isWritten = await stored.write(() => {
      const body = JSON.stringify(pages.all().map((page) => toRecord(shift(page, -clock.monotonic()))));
      const statsBody = JSON.stringify(stats.all().map((entry) => shiftStats(entry, -clock.monotonic())));
      const header: Header = {
        format: 'trending-graphql pages',
        version: VERSION,
        source: sourceId,
        writtenAt: clock.now(),
        sha256: toDigest(body),
        statsSha256: toDigest(statsBody),
      };
      return { header, body: `${body}\n${statsBody}\n` };
    });
    if (isWritten) onEvent({ type: 'cacheFileWritten', file: stored.path, ...countAll() });
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
  return sha256 !== toDigest(body) || (statsSha256 !== undefined && statsSha256 !== toDigest(statsBody));
}
