import type { Chart } from '../../../domain/chart.ts';
import { type PageKey, parsePageId } from '../../../domain/page.ts';
import changes from './changes.lua';
import readChangesLua from './readChanges.lua';
import { CHANGES_KEY, parseChartDayId } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('readChanges', changes, readChangesLua);

/** What other replicas have changed. */
export interface Changes {
  /** Pages that were stored. */
  readonly pages: readonly PageKey[];
  /** Days of charts whose ranks have changed. */
  readonly chartDays: readonly { readonly chart: Chart; readonly day: number }[];
}

/**
 * Reads what others than `replica` have changed since a change: 200 changes at most. Returns the id of the last one; no
 * changes when `lastChange` is undefined.
 */
export async function readChanges(
  run: RunScript,
  lastChange: string | undefined,
  replica: string,
): Promise<Changes & { readonly last: string }> {
  const [last = '', ...reply] = (await run(script, [CHANGES_KEY], [lastChange])).map(String);
  const changed = reply.filter((_, index) => index % 2 === 0 && reply[index + 1] !== replica);
  return {
    last,
    pages: changed.flatMap((text) => parsePageId(text) ?? []),
    chartDays: changed.flatMap((text) => parseChartDayId(text) ?? []),
  };
}
