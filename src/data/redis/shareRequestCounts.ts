import type { RedisLink } from './redisConnection.ts';

/** What this replica has counted of clients, and where it hears what the others have. */
export interface SharedCounts {
  tell(): ReadonlyMap<string, number>;
  hear(others: ReadonlyMap<string, number>): void;
}

/** A replica that has said nothing for so long does not count any more; each does twice a second. */
const COUNT_MS = 2000;

/**
 * Compares counts with the other replicas with every beat, in the background: no request waits for it. Clients' names are
 * part of keys, so they must not be secret. While Redis is away nobody hears anything.
 */
export function shareCounts(link: RedisLink, counts: SharedCounts): void {
  link.onBeat(async (run) => {
    const told = counts.tell();
    if (told.size === 0) return;
    const clients = [...told.keys()];
    const keys = clients.map((client) => `requests:${client}`);
    const others = await run('count', keys, [link.replica, COUNT_MS, ...told.values()]);
    counts.hear(new Map(clients.map((client, index) => [client, Number(others[index])])));
  });
}
