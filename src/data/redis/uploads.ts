import type { RedisConnection } from './connection/redisConnection.ts';

/**
 * Uploads something each time that Redis comes up: what it lost, or missed while it was down. An upload ends when Redis
 * goes down or the next upload begins, which then repeats failed steps.
 *
 * @param steps Gives what to do, one after the other, so that operations do not have to wait behind a queue of them.
 */
export function uploadOnUp(redis: RedisConnection, steps: () => Iterable<() => Promise<unknown>>): void {
  /** Counts the uploads: a new one ends the one before. */
  let uploads = 0;

  async function upload(): Promise<void> {
    const current = ++uploads;
    for (const step of steps()) {
      if (!redis.isUp() || current !== uploads) return;
      await step();
    }
  }

  redis.onUp(() => {
    // Not awaited: there may be many steps.
    void upload().catch(() => undefined);
  });
}
