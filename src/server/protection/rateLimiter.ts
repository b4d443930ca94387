import { LRUCache } from 'lru-cache';

/** The decision about one request. */
interface RateLimitDecision {
  readonly isGranted: boolean;
  /** Requests that the client may send at once. */
  readonly remaining: number;
  /** Whole seconds until the next of its requests stops counting. */
  readonly resetSeconds: number;
}

/** Counts the requests of each client, in memory; replicas exchange their counts. */
export interface RateLimiter {
  readonly perMinute: number;
  /** Counts a request of `client`, unless it exceeds the limit. */
  take(client: string): RateLimitDecision;
  /** The requests of the busier clients in the last minute, the busiest first. */
  exportCounts(): ReadonlyMap<string, number>;
  /** The requests that other replicas have counted for the same clients. Valid for `IMPORTED_COUNT_TTL_MS`. */
  importCounts(others: ReadonlyMap<string, number>): void;
}

/** The requests of one client. */
interface Tally {
  /** Requests in each second of the last minute, the oldest first. */
  readonly seconds: { readonly second: number; count: number }[];
  /** The sum of them. */
  own: number;
  /** Requests that other replicas have counted. */
  others: number;
  othersUntil: number;
}

/** Time to live of the counts of other replicas: a few heartbeats. */
export const IMPORTED_COUNT_TTL_MS = 2000;

/** Bounds the memory: only an attack comes from more addresses than this at the same time. */
const MAX_CLIENTS = 20_000;
/** Maximum number of clients whose counts are exported at once, to limit the load on Redis. */
const MAX_EXPORTED = 500;
/** A client's count is exported from this share of the limit on. Most clients never reach it. */
const MIN_EXPORTED_SHARE = 0.05;

/**
 * Lets each client send `perMinute` requests in any minute (a sliding window, so that no boundary lets it send twice as
 * many). A request that is refused does not count.
 *
 * No request waits for other replicas. Their counts are known as of the last heartbeat, half a second ago at most:
 * until then a client that sends its requests to n replicas at once may have n times the limit, and then waits until
 * its minute is over. Apart from that, the limit holds for all replicas together, but for the counts below
 * `MIN_EXPORTED_SHARE`, which are not exported: a twentieth of the limit for each replica.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function createRateLimiter(perMinute: number, monotonic: () => number): RateLimiter {
  const tallies = new LRUCache<string, Tally>({ max: MAX_CLIENTS });

  function tallyOf(client: string): Tally {
    const found = tallies.get(client);
    if (found) return found;
    const created: Tally = { seconds: [], own: 0, others: 0, othersUntil: 0 };
    tallies.set(client, created);
    return created;
  }

  return {
    perMinute,
    take: (client) => {
      const tally = tallyOf(client);
      const now = monotonic();
      dropOldSeconds(tally, now);
      const left = perMinute - tally.own - (now < tally.othersUntil ? tally.others : 0);
      const isGranted = left >= 1;
      if (isGranted) count(tally, now);
      return { isGranted, remaining: Math.max(0, left - 1), resetSeconds: toResetSeconds(tally, now) };
    },
    exportCounts: () => {
      const now = monotonic();
      const exported: [string, number][] = [];
      for (const [client, tally] of tallies.entries()) {
        dropOldSeconds(tally, now);
        if (tally.own > 0 && tally.own >= perMinute * MIN_EXPORTED_SHARE) exported.push([client, tally.own]);
      }
      return new Map(exported.sort(([, one], [, other]) => other - one).slice(0, MAX_EXPORTED));
    },
    importCounts: (others) => {
      for (const [client, count] of others) {
        const tally = tallies.peek(client);
        if (!tally) continue;
        tally.others = count;
        tally.othersUntil = monotonic() + IMPORTED_COUNT_TTL_MS;
      }
    },
  };
}

function count(tally: Tally, now: number): void {
  const second = Math.floor(now / 1000);
  const latest = tally.seconds.at(-1);
  if (latest?.second === second) latest.count++;
  else tally.seconds.push({ second, count: 1 });
  tally.own++;
}

/** Drops the seconds that have left the window. */
function dropOldSeconds(tally: Tally, now: number): void {
  for (let oldest = tally.seconds[0]; oldest && now >= toEnd(oldest.second); oldest = tally.seconds[0]) {
    tally.own -= oldest.count;
    tally.seconds.shift();
  }
}

/** One second for a client whose requests only other replicas have counted: when those expire is not known. */
function toResetSeconds({ seconds: [oldest] }: Tally, now: number): number {
  return oldest ? Math.ceil((toEnd(oldest.second) - now) / 1000) : 1;
}

/** When a second's requests stop counting, in milliseconds. */
function toEnd(second: number): number {
  return (second + 61) * 1000;
}
