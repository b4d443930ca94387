import type { RedisConnection } from './connection/redisConnection.ts';
import { shareCounts } from './scripts/shareCounts.ts';

/** The requests that this replica has counted, by client. */
interface RequestCounts {
  /** The counts of the busiest clients. */
  exportCounts(): ReadonlyMap<string, number>;
  /** Imports the total counts of the other replicas for these clients. */
  importCounts(others: ReadonlyMap<string, number>): void;
}

/** Expiry of a replica's counts: a few heartbeats. */
const COUNT_TTL_MS = 2000;

/**
 * Exchanges request counts with the other replicas on every heartbeat, in the background: no request waits for it.
 * Clients' names become part of keys, so they must not be secret. While Redis is down nothing is exchanged.
 */
export function shareRequestCounts(redis: RedisConnection, counts: RequestCounts): void {
  redis.onHeartbeat(async (run) => {
    const exported = counts.exportCounts();
    if (exported.size === 0) return;
    const options = { replica: redis.replica, ttlMs: COUNT_TTL_MS, counts: exported };
    counts.importCounts(await shareCounts(run, options));
  });
}
