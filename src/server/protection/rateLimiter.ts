import { LRUCache } from 'lru-cache';

/** What a client may ask for, once this request is counted. */
export interface Allowance {
  readonly isGranted: boolean;
  /** Requests that it may send at once. */
  readonly remaining: number;
  /** When the next of its requests stops to count, in whole seconds from now. */
  readonly resetSeconds: number;
}

/** Counts what clients ask for, in memory. What replicas share goes out by `tell` and comes in by `hear`. */
export interface RateLimiter {
  readonly perMinute: number;
  /** Counts a request of `client`, unless that would be one too many. */
  take(client: string): Allowance;
  /** What the busier clients have asked for in the last minute, the busiest first. */
  tell(): ReadonlyMap<string, number>;
  /** What the same clients have asked other replicas for. Holds for `HEARSAY_MS`. */
  hear(others: ReadonlyMap<string, number>): void;
}

/** What one client has asked for. */
interface Tally {
  /** Requests in each second of the last minute, the oldest first. */
  readonly seconds: { readonly second: number; count: number }[];
  /** The sum of them. */
  own: number;
  others: number;
  othersUntil: number;
}

/** How long a count that another replica told is believed: a few of its beats. */
export const HEARSAY_MS = 2000;

/** More addresses than this ask at the same time only in an attack, which must not fill the memory. */
const MAX_CLIENTS = 20_000;
/** So many are told of at a time: Redis must not be busy with them. */
const MAX_TOLD = 500;
/** A client is told of from this share of the limit on; most never come near it. */
const TOLD_SHARE = 0.05;

/**
 * Lets each client send `perMinute` requests in any minute, wherever that begins: there is no boundary at which it
 * could send twice as many. A request that is refused does not count.
 *
 * Nobody waits for other replicas: what they have counted is known as of their last word, half a second ago. Until then
 * each grants by itself, so a client that sends its requests to n replicas within that half second may have up to n times
 * the limit, and then waits until its minute is over. From then on the limit holds for all of them together, but for the
 * share of it below which a replica does not tell of a client: a twentieth for each.
 */
export function createRateLimiter(perMinute: number, monotonic: () => number): RateLimiter {
  const tallies = new LRUCache<string, Tally>({ max: MAX_CLIENTS });

  function find(client: string): Tally {
    const found = tallies.get(client);
    if (found) return found;
    const made: Tally = { seconds: [], own: 0, others: 0, othersUntil: 0 };
    tallies.set(client, made);
    return made;
  }

  return {
    perMinute,
    take: (client) => {
      const tally = find(client);
      const now = monotonic();
      forget(tally, now);
      const left = perMinute - tally.own - (now < tally.othersUntil ? tally.others : 0);
      const isGranted = left >= 1;
      if (isGranted) count(tally, now);
      return { isGranted, remaining: Math.max(0, left - 1), resetSeconds: toReset(tally, now) };
    },
    tell: () => {
      const now = monotonic();
      const told: [string, number][] = [];
      for (const [client, tally] of tallies.entries()) {
        forget(tally, now);
        if (tally.own > 0 && tally.own >= perMinute * TOLD_SHARE) told.push([client, tally.own]);
      }
      return new Map(told.sort(([, one], [, other]) => other - one).slice(0, MAX_TOLD));
    },
    hear: (others) => {
      for (const [client, count] of others) {
        const tally = tallies.peek(client);
        if (!tally) continue;
        tally.others = count;
        tally.othersUntil = monotonic() + HEARSAY_MS;
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

/** Drops the seconds that are over a minute ago to their last moment. */
function forget(tally: Tally, now: number): void {
  for (let oldest = tally.seconds[0]; oldest && now >= toEnd(oldest.second); oldest = tally.seconds[0]) {
    tally.own -= oldest.count;
    tally.seconds.shift();
  }
}

/** Of a client that only other replicas know, it is not known: the next second. */
function toReset({ seconds: [oldest] }: Tally, now: number): number {
  return oldest ? Math.ceil((toEnd(oldest.second) - now) / 1000) : 1;
}

/** When a second's requests stop to count, in milliseconds. */
function toEnd(second: number): number {
  return (second + 61) * 1000;
}
