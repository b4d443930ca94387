import { createDailySnapshots, type DailySnapshots } from '../data/history/dailySnapshots.ts';
import type { History } from '../data/history/history.ts';
import type { PageCache } from '../data/pages/pageCache.ts';
import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import type { AppContext } from './appContext.ts';
import type { UpstreamLayers } from './upstreamLayers.ts';

/** Dependencies of the daily snapshots. */
interface SnapshotsOptions {
  readonly history: History;
  readonly cache: PageCache;
  readonly layers: Pick<UpstreamLayers, 'isIdle'>;
  readonly redis: RedisConnection | undefined;
}

/**
 * Creates the daily snapshots, which fetch the configured charts on every UTC day on which nobody has read them. They
 * are not started yet.
 */
export function createSnapshots(
  { config, clock, onEvent }: AppContext,
  { history, cache, layers, redis }: SnapshotsOptions,
): DailySnapshots {
  return createDailySnapshots({
    charts: config.history.snapshots,
    cache,
    history,
    clock,
    isIdle: layers.isIdle,
    canShare: () => redis?.isUp() ?? true,
    onEvent,
  });
}
