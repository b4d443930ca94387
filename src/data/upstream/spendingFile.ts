import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { OnDataEvent } from '../events.ts';
import { parseJson } from '../../domain/json.ts';
import type { Spending } from './creditBudget.ts';

/** Where a budget's spending outlives the process. Neither ever throws: see the events. */
export interface SpendingFile {
  /** What was spent, as far as is known. */
  read(): Spending | undefined;
  /** Replaces what was spent. */
  write(spent: Spending): void;
}

/** What a spending file needs. */
export interface SpendingFileOptions {
  readonly file: string;
  /** Who is paid: what others were paid does not count, and is kept. */
  readonly source: string;
  readonly onEvent: OnDataEvent;
}

const schema = z.object({
  format: z.literal('trending-graphql credits'),
  version: z.literal(1),
  /** By source: a run on demo data must not make a real one forget. */
  spent: z.record(z.string(), z.object({ day: z.int().nonnegative(), credits: z.int().nonnegative() })),
});
type Spent = z.infer<typeof schema>['spent'];

/**
 * Keeps a day's spending in a file of its own, written as each request leaves rather than on a clean stop: a process
 * that is killed must not start with a full purse. Synchronous on purpose, a few bytes at most `KEYAPI_QPS` times a
 * second.
 */
export function createSpendingFile({ file, source, onEvent }: SpendingFileOptions): SpendingFile {
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
    return spent[source];
  }

  function write(spending: Spending): void {
    const temporary = `${file}.${process.pid}.tmp`;
    spent[source] = spending;
    try {
      const record: z.infer<typeof schema> = { format: 'trending-graphql credits', version: 1, spent };
      writeFileSync(temporary, JSON.stringify(record), { mode: 0o600 });
      renameSync(temporary, file);
      isFailing = false;
    } catch (error) {
      remove(temporary);
      // Told once: it would happen with every call.
      if (!isFailing) onEvent({ type: 'fileFailed', file, reason: (error as Error).message });
      isFailing = true;
    }
  }

  function ignore(reason: string): void {
    onEvent({ type: 'fileIgnored', file, reason });
  }

  return { read, write };
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where it could not be written it cannot be removed either.
  }
}
