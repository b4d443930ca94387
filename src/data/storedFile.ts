import { createHash } from 'node:crypto';
import { readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { parseJson } from '../domain/json.ts';
import type { OnDataEvent } from './events.ts';

/** See `createStoredFile`. */
interface StoredFileOptions<Header extends FileHeader> {
  readonly file: string;
  /** Identifies where the data comes from: that of another source is not read. */
  readonly sourceId: string;
  /** Of the JSON on the first line. It should not accept the header of another format or version. */
  readonly header: z.ZodType<Header>;
  /** What such a file is, as in "it is not a page cache of this version". */
  readonly name: string;
  /** What such a file contains, as in "its pages come from". */
  readonly content: string;
  readonly onEvent: OnDataEvent;
}

/** What the first line of each file says. */
interface FileHeader {
  /** Where the data comes from. */
  readonly source: string;
}

/** A file: its first line, and what follows it. */
interface FileContent<Header, Body> {
  readonly header: Header;
  readonly body: Body;
}

/** A file that survives the process. No method throws: they emit events. */
export interface StoredFile<Header extends FileHeader> {
  /** Its path; once it was read, with symbolic links resolved: writing would replace them. */
  readonly path: string;
  /** False once it is known that the file cannot be written, or must not be. */
  readonly isUsable: boolean;
  /**
   * Reads the file, and checks that it can be written.
   *
   * @param load Receives what the file contains, or undefined when there is no file. Not called for a file that is
   * ignored. Returns false when the content is damaged.
   */
  read(load: (content: FileContent<Header, Buffer> | undefined) => boolean): Promise<void>;
  /**
   * Replaces the file, unless it is not usable. Calls must not overlap.
   *
   * @param create Creates the content. What it throws counts as a failure to write.
   * @returns Whether the file was replaced.
   */
  write(create: () => FileContent<Header, string | Buffer>): Promise<boolean>;
}

/**
 * A file that carries data of one process over a restart: a header as JSON on the first line, then a body. Only its user can
 * read it, and it is replaced atomically. A file that cannot be trusted is ignored, and renamed to `.ignored` before it is
 * replaced; a file of another source, or one that is not a regular file, is neither read nor replaced. Of several
 * failures in a row, only the first is emitted.
 */
export function createStoredFile<Header extends FileHeader>(
  options: StoredFileOptions<Header>,
): StoredFile<Header> {
  const { sourceId, name, content, onEvent } = options;
  let file = options.file;
  let isUsable = true;
  let mustSetAside = false;
  let isFailing = false;
  /** In the same folder: a rename is atomic only within a file system. */
  const temporary = (): string => `${file}.${process.pid}.tmp`;

  const read: StoredFile<Header>['read'] = async (load) => {
    const bytes = await readRegularFile();
    if (bytes) check(bytes, load);
    // Otherwise it is not missing but ignored.
    else if (isUsable) load(undefined);
    if (isUsable) await probe();
  };

  async function readRegularFile(): Promise<Buffer | undefined> {
    try {
      file = await realpath(file);
      if ((await stat(file)).isFile()) return await readFile(file);
      leaveAlone('it is not a regular file');
    } catch (error) {
      if (isMissing(error)) await resolveMissing();
      else leaveAlone(toReason(error));
    }
    return undefined;
  }

  /** A symbolic link may lead to a file that does not exist yet. */
  async function resolveMissing(): Promise<void> {
    file = await readlink(file).then(
      (target) => path.resolve(path.dirname(file), target),
      () => file,
    );
  }

  function check(bytes: Buffer, load: (content: FileContent<Header, Buffer>) => boolean): void {
    const end = bytes.includes('\n') ? bytes.indexOf('\n') : bytes.length;
    const header = options.header.safeParse(parseJson(bytes.toString('utf8', 0, end)));
    if (!header.success) setAside(`it is not ${name} of this version`);
    else if (header.data.source !== sourceId) {
      leaveAlone(`its ${content} come from ${header.data.source}, not ${sourceId}`);
    } else if (!load({ header: header.data, body: bytes.subarray(end + 1) })) setAside('it is damaged');
  }

  /** Checked at the start, because a failure at the end would lose the data. */
  async function probe(): Promise<void> {
    try {
      await writeFile(temporary(), '');
      await rm(temporary());
    } catch (error) {
      isUsable = false;
      fail(error);
    }
  }

  const write: StoredFile<Header>['write'] = async (create) => {
    if (!isUsable) return false;
    try {
      const { header, body } = create();
      await writeFile(temporary(), [`${JSON.stringify(header)}\n`, body], { mode: 0o600 });
      if (mustSetAside) await renameIgnored();
      await rename(temporary(), file);
      isFailing = false;
      return true;
    } catch (error) {
      await rm(temporary(), { force: true }).catch(() => undefined);
      fail(error);
      return false;
    }
  };

  async function renameIgnored(): Promise<void> {
    await rename(file, `${file}.ignored`).catch((error: unknown) => {
      // The operator may have deleted the file after the log reported it.
      if (!isMissing(error)) throw error;
    });
    mustSetAside = false;
  }

  /** Emitted once: a file that is written every minute would fail every minute. */
  function fail(error: unknown): void {
    if (!isFailing) onEvent({ type: 'fileFailed', file, reason: toReason(error) });
    isFailing = true;
  }

  /** Ignores the file, and does not write to it either: it may belong to somebody else. */
  function leaveAlone(reason: string): void {
    isUsable = false;
    onEvent({ type: 'fileIgnored', file, reason, isReplaced: false });
  }

  /** Ignores the file; it is renamed when a new one is written. */
  function setAside(reason: string): void {
    mustSetAside = true;
    onEvent({ type: 'fileIgnored', file, reason, isReplaced: true });
  }

  return {
    get path() {
      return file;
    },
    get isUsable() {
      return isUsable;
    },
    read,
    write,
  };
}

/** The SHA-256 of a part of a file, in hexadecimal. */
export function toDigest(part: string | Buffer): string {
  return createHash('sha256').update(part).digest('hex');
}

function isMissing(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ENOENT';
}

function toReason(error: unknown): string {
  return (error as Error).message;
}
