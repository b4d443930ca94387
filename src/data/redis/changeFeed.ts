import type { RedisConnection } from './connection/redisConnection.ts';
import { type Changes, readChanges } from './scripts/readChanges.ts';
import type { RunScript } from './scripts/script.ts';

/** Listens to what other replicas change in Redis. An error that it throws marks Redis as down. */
interface ChangeListener {
  /** Changes may have been missed: Redis was down, or has lost its data. */
  readonly onReset: () => void;
  readonly onChanges: (changes: Changes, run: RunScript) => Promise<void> | void;
}

/** Reports what other replicas change in Redis, twice a second while Redis is up. */
export interface ChangeFeed {
  /** Adds a listener; before the connection is opened, or it misses the first reset. */
  listen(listener: ChangeListener): void;
}

/** See `ChangeFeed`. */
export function createChangeFeed(redis: RedisConnection): ChangeFeed {
  const listeners: ChangeListener[] = [];
  let lastChange: string | undefined;
  redis.onHeartbeat(async (run, isFirst) => {
    if (isFirst) {
      for (const { onReset } of listeners) onReset();
      lastChange = undefined;
    }
    await report(run);
  });

  async function report(run: RunScript): Promise<void> {
    const { last, ...changes } = await readChanges(run, lastChange, redis.replica);
    if (last === lastChange) return;
    await Promise.all(listeners.map(({ onChanges }) => onChanges(changes, run)));
    const isFirstRead = lastChange === undefined;
    lastChange = last;
    // The reply is limited: there may be more changes.
    if (!isFirstRead) await report(run);
  }

  return { listen: (listener) => void listeners.push(listener) };
}
