import { keyOfRequestCounts } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';
import shareCountsLua from './shareCounts.lua';

const script = defineScript('shareCounts', shareCountsLua);

/** Exchanges request counts, by client: returns what the other replicas have counted within `ttlMs`. */
export async function shareCounts(
  run: RunScript,
  options: {
    readonly replica: string;
    readonly ttlMs: number;
    readonly counts: ReadonlyMap<string, number>;
  },
): Promise<Map<string, number>> {
  const { replica, ttlMs, counts } = options;
  const clients = [...counts.keys()];
  const others = await run(script, clients.map(keyOfRequestCounts), [replica, ttlMs, ...counts.values()]);
  return new Map(clients.map((client, index) => [client, Number(others[index])]));
}
