import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import type { OnDataEvent } from './events.ts';
import type { HeldPage, PageStore } from './pageStore.ts';

/** Where a page store outlives its process. */
export interface CacheFileOptions {
  readonly file: string;
  /** Where the pages come from: pages of another source are not read. */
  readonly source: string;
  readonly store: PageStore;
  /** Bounds what is left of a life: the setting may have changed since the file was written. */
  readonly ttlMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/** Reads the store from the file, and writes it there. Neither ever throws: see the events. */
export interface CacheFile {
  read(): Promise<void>;
  write(): Promise<void>;
}

/** Changes with the form of a page, so that a file of another version is not misread. */
const VERSION = 1;

const headerSchema = z.object({
  format: z.literal('trending-graphql pages'),
  version: z.literal(VERSION),
  source: z.string(),
  /** Unix milliseconds. */
  writtenAt: z.number(),
  /** Of the pages' line, in hexadecimal. */
  sha256: z.string(),
});
type Header = z.infer<typeof headerSchema>;

/**
 * Keeps a page store over a restart, in a file of two lines: a header, and the pages as JSON. Lives go on by the
 * wall clock between the processes, and never get longer. A file that cannot be trusted is ignored.
 */
export function createCacheFile({ file, source, store, ttlMs, clock, onEvent }: CacheFileOptions): CacheFile {
  async function read(): Promise<void> {
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if (!isMissing(error)) ignore(toReason(error));
      return;
    }
    try {
      const { pages, writtenAt } = parse(text);
      const asleepMs = Math.max(0, clock.now() - writtenAt);
      for (const page of pages) store.add(revive(page, asleepMs));
      onEvent({ type: 'cacheFileRead', file, pages: pages.length });
    } catch (error) {
      ignore(toReason(error));
    }
  }

  async function write(): Promise<void> {
    // Beside the file, since a rename is atomic only within a file system.
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      const pages = store.all();
      const body = JSON.stringify(pages.map((page) => freeze(page, clock)));
      const header: Header = {
        format: 'trending-graphql pages',
        version: VERSION,
        source,
        writtenAt: clock.now(),
        sha256: digest(body),
      };
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(temporary, `${JSON.stringify(header)}\n${body}\n`, { mode: 0o600 });
      await rename(temporary, file);
      onEvent({ type: 'cacheFileWritten', file, pages: pages.length });
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      onEvent({ type: 'cacheFileFailed', file, reason: toReason(error) });
    }
  }

  function parse(text: string): { pages: HeldPage[]; writtenAt: number } {
    const [head = '', body = ''] = text.split('\n');
    const header = headerSchema.safeParse(toJson(head));
    if (!header.success) throw new Error('it is not a page cache of this version');
    if (header.data.source !== source)
      throw new Error(`its pages come from ${header.data.source}, not ${source}`);
    if (header.data.sha256 !== digest(body)) throw new Error('it is damaged');
    // Written by this version, byte for byte.
    return { pages: JSON.parse(body) as HeldPage[], writtenAt: header.data.writtenAt };
  }

  /** The page as it is after `asleepMs`. Its age is never below zero, whatever became of the wall clock. */
  function revive(page: HeldPage, asleepMs: number): HeldPage {
    const now = clock.monotonic();
    const awake = shift(page, now - asleepMs);
    return {
      ...awake,
      freshUntil: Math.min(awake.freshUntil, now + ttlMs),
      fetchedAt: Math.min(page.fetchedAt, clock.now()),
    };
  }

  function ignore(reason: string): void {
    onEvent({ type: 'cacheFileIgnored', file, reason });
  }

  return { read, write };
}

/** The page with its moments counted from now: another process has another monotonic clock. */
function freeze(page: HeldPage, clock: Clock): HeldPage {
  return shift(page, -clock.monotonic());
}

function shift(page: HeldPage, ms: number): HeldPage {
  const { freshUntil, coversUntil } = page;
  return {
    ...page,
    freshUntil: freshUntil + ms,
    coversUntil: coversUntil === null ? null : coversUntil + ms,
  };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

function toReason(error: unknown): string {
  return (error as Error).message;
}
