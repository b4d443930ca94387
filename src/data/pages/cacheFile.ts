import { createHash } from 'node:crypto';
import { readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../domain/clock.ts';
import type { OnDataEvent } from '../events.ts';
import type { HeldPage, PageStore } from './pageStore.ts';
import { parseJson } from '../../domain/json.ts';

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

/** Keeps a page store in a file. Neither ever throws: see the events. */
export interface CacheFile {
  /** Fills the store with what the file has, and sees whether it can be written. */
  read(): Promise<void>;
  /** Writes the store to the file, unless nothing has come since it was read. */
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
 * wall clock between the processes, and never get longer. A file that cannot be trusted is ignored, and set aside as
 * `.ignored` before another takes its place; one of another source is left alone.
 */
export function createCacheFile(options: CacheFileOptions): CacheFile {
  const { source, store, ttlMs, clock, onEvent } = options;
  /** Without symbolic links, which writing would replace. */
  let file = options.file;
  let isUsable = true;
  let isWorthless = false;
  let firstOrder = store.nextOrder();
  /** Beside the file, since a rename is atomic only within a file system. */
  const temporary = (): string => `${file}.${process.pid}.tmp`;

  async function read(): Promise<void> {
    const text = await readRegularFile();
    if (text !== undefined) load(text);
    if (isUsable) await probe();
    firstOrder = store.nextOrder();
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
        onEvent({ type: 'cacheFileRead', file, pages: 0 });
      }
    }
    return undefined;
  }

  function load(text: string): void {
    const [head = '', body = ''] = text.split('\n');
    const header = headerSchema.safeParse(parseJson(head));
    if (!header.success) setAside('it is not a page cache of this version');
    else if (header.data.source !== source) {
      leaveAlone(`its pages come from ${header.data.source}, not ${source}`);
    } else if (header.data.sha256 !== digest(body)) setAside('it is damaged');
    else {
      const asleepMs = Math.max(0, clock.now() - header.data.writtenAt);
      // Written by this version, byte for byte.
      for (const page of JSON.parse(body) as HeldPage[]) store.add(revive(page, asleepMs));
      onEvent({ type: 'cacheFileRead', file, pages: store.all().length });
    }
  }

  /** Better known at the start than when all is to be written. */
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
    if (!isUsable || store.nextOrder() === firstOrder) return;
    try {
      const pages = store.all();
      const body = JSON.stringify(pages.map((page) => shift(page, -clock.monotonic())));
      const header: Header = {
        format: 'trending-graphql pages',
        version: VERSION,
        source,
        writtenAt: clock.now(),
        sha256: digest(body),
      };
      await writeFile(temporary(), `${JSON.stringify(header)}\n${body}\n`, { mode: 0o600 });
      if (isWorthless) await rename(file, `${file}.ignored`);
      await rename(temporary(), file);
      onEvent({ type: 'cacheFileWritten', file, pages: pages.length });
    } catch (error) {
      await rm(temporary(), { force: true }).catch(() => undefined);
      onEvent({ type: 'fileFailed', file, reason: toReason(error) });
    }
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

  /** Ignores the file, and does not write to it either: somebody else may want it. */
  function leaveAlone(reason: string): void {
    isUsable = false;
    onEvent({ type: 'fileIgnored', file, reason });
  }

  /** Ignores the file; it is kept under another name when it is written to. */
  function setAside(reason: string): void {
    isWorthless = true;
    onEvent({ type: 'fileIgnored', file, reason });
  }

  return { read, write };
}

/** The page with its moments shifted: they count from another start in each process. */
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

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

function toReason(error: unknown): string {
  return (error as Error).message;
}
