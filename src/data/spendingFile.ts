import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { OnDataEvent } from './events.ts';
import type { Spending } from './resilience/creditBudget.ts';

/** Where a budget's spending outlives the process. */
export interface SpendingFile {
  /** What was spent, as far as is known. */
  read(): Spending | undefined;
  /** Replaces what was spent. Never throws: see the events. */
  write(spent: Spending): void;
}

const schema = z.object({
  format: z.literal('trending-graphql credits'),
  version: z.literal(1),
  day: z.int().nonnegative(),
  credits: z.int().nonnegative(),
});

/**
 * Keeps a day's spending in a file of its own, written before each call that is paid for rather than on a clean
 * stop: a process that is killed must not start with a full purse. Synchronous on purpose, a few bytes at most
 * `KEYAPI_QPS` times a second.
 */
export function createSpendingFile(file: string, onEvent: OnDataEvent): SpendingFile {
  let isFailing = false;

  function read(): Spending | undefined {
    try {
      const { day, credits } = schema.parse(JSON.parse(readFileSync(file, 'utf8')));
      return { day, credits };
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
      onEvent({ type: 'cacheFileIgnored', file, reason: 'it is not a record of credits of this version' });
      return undefined;
    }
  }

  function write({ day, credits }: Spending): void {
    const temporary = `${file}.${process.pid}.tmp`;
    try {
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(
        temporary,
        JSON.stringify({ format: 'trending-graphql credits', version: 1, day, credits }),
      );
      renameSync(temporary, file);
      isFailing = false;
    } catch (error) {
      rmSync(temporary, { force: true });
      // Told once: it would happen with every call.
      if (!isFailing) onEvent({ type: 'cacheFileFailed', file, reason: (error as Error).message });
      isFailing = true;
    }
  }

  return { read, write };
}
