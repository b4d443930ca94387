import common from './common.lua';
import heartbeatLua from './heartbeat.lua';
import { REPLICAS_KEY } from './redisKeys.ts';
import type { RunScript, Script } from './script.ts';

// Not rejected when it was sent long ago by a clock that Redis's time has not corrected yet.
const script: Script = { name: 'heartbeat', lua: common + heartbeatLua };

/** Registers a replica, which counts for `ttlMs`. */
export async function heartbeat(
  run: RunScript,
  { replica, ttlMs }: { readonly replica: string; readonly ttlMs: number },
): Promise<{ readonly now: number; readonly replicas: number; readonly isNew: boolean }> {
  const [seconds, microseconds, replicas, isNew] = await run(script, [REPLICAS_KEY], [replica, ttlMs]);
  return {
    now: Number(seconds) * 1000 + Number(microseconds) / 1000,
    replicas: Number(replicas),
    isNew: isNew === 1,
  };
}
