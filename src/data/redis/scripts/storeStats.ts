import lock from './lock.lua';
import { keysOfStats } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import statsHeader from './statsHeader.lua';
import storeStatsLua from './storeStats.lua';

const script = defineScript('storeStats', statsHeader, lock, storeStatsLua);

/** Stores the numbers of videos for all replicas, unless newer ones are there. */
export async function storeStats(
  run: RunScript,
  options: {
    readonly values: readonly { readonly itemId: string; readonly value: string }[];
    /** Of the locks under which they were fetched, which are then released. */
    readonly token: string | undefined;
    /** How long they may be used after they have expired. */
    readonly staleMs: number;
  },
): Promise<void> {
  const { values, token, staleMs } = options;
  const keys = values.flatMap(({ itemId }) => keysOfStats(itemId));
  await run(script, keys, [token, staleMs, ...values.map(({ value }) => value)]);
}
