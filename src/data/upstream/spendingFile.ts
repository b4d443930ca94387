import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { OnDataEvent } from '../events.ts';
import type { Spending } from './creditBudget.ts';

/** Carries a budget's spending over a restart. Neither method throws: both emit events. */
interface SpendingFile {
  /** What was spent; undefined when nothing is recorded. */
  read(): Spending | undefined;
  /** Records what was spent. */
  write(spent: Spending): void;
}

/** See `createSpendingFile`. */
interface SpendingFileOptions {
  readonly file: string;
  /** Identifies whom the credits were paid to. Records of other sources stay in the file. */
  readonly sourceId: string;
  readonly onEvent: OnDataEvent;
}

const schema = z.object({
  format: z.literal('trending-graphql credits'),
  version: z.literal(1),
  /** By source: running on demo data must not reset what was really spent. */
  spent: z.record(z.string(), z.object({ day: z.int().nonnegative(), credits: z.int().nonnegative() })),
});
type Spent = z.infer<typeof schema>['spent'];

/**
 * Carries a day's spending over a restart. The file is written before each request is sent, rather than on a clean
 * stop: a process that was killed must not start with a full budget. Writing is synchronous on purpose: it is a few
 * bytes, at most `KEYAPI_QPS` times a second.
 */
export function createSpendingFile({ file, sourceId, onEvent }: SpendingFileOptions): SpendingFile {
  let spent: Spent = {};
  let isFailing = false;

  function read(): Spending | undefined {
    try {
      const record = schema.safeParse(parseJson(readFileSync(file, 'utf8')));
      if (record.success) spent = record.data.spent;
      else ignore('it is not a record of credits: today counts as unspent');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'ENOENT') ignore(message);
    }
    return spent[sourceId];
  }

  function write(spending: Spending): void {
    const temporary = `${file}.${process.pid}.tmp`;
    spent[sourceId] = spending;
    try {
      const record: z.infer<typeof schema> = { format: 'trending-graphql credits', version: 1, spent };
      writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
      renameSync(temporary, file);
      isFailing = false;
    } catch (error) {
      remove(temporary);
      // Emitted once: it would fail with every call.
      if (!isFailing) onEvent({ type: 'fileFailed', file, reason: (error as Error).message });
      isFailing = true;
    }
  }

  function ignore(reason: string): void {
    onEvent({ type: 'fileIgnored', file, reason, isReplaced: true });
  }

  return { read, write };
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // A file that could not be written may not be removable either.
  }
}
