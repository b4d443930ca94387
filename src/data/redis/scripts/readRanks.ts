import type { Chart } from '../../../domain/chart.ts';
import readRanksLua from './readRanks.lua';
import { keyOfRanks } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('readRanks', readRanksLua);

/** Reads what any replica has noted of a chart on these UTC days: the values of the pages of each. */
export async function readRanks(run: RunScript, chart: Chart, days: readonly number[]): Promise<string[][]> {
  const keys = days.map((day) => keyOfRanks(chart, day));
  const reply = await run(script, keys, []);
  return reply.map((values) => (values as readonly unknown[]).map(String));
}
