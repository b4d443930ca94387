import type { Chart } from '../../../domain/chart.ts';
import changes from './changes.lua';
import { CHANGES_KEY, chartDayId, keyOfRanks } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import storeRanksLua from './storeRanks.lua';

const script = defineScript('storeRanks', changes, storeRanksLua);

/** The ranks of a page, as they are stored. */
export interface SharedRanks {
  /** Which ranks it has: a page with the same ones takes its place if it is newer. */
  readonly field: string;
  /** Begins with its sequence number. */
  readonly value: string;
}

/** Adds pages to a day of a chart for all replicas, unless newer ones are there. */
export async function storeRanks(
  run: RunScript,
  options: {
    readonly chart: Chart;
    /** The UTC day, in days since 1970-01-01. */
    readonly day: number;
    readonly pages: readonly SharedRanks[];
    /** How long the day is stored. */
    readonly leftMs: number;
    readonly replica: string;
  },
): Promise<void> {
  const { chart, day, pages, leftMs, replica } = options;
  const values = pages.flatMap(({ field, value }) => [field, value]);
  await run(
    script,
    [keyOfRanks(chart, day), CHANGES_KEY],
    [leftMs, chartDayId(chart, day), replica, ...values],
  );
}
