import { Counter, type Registry } from 'prom-client';
import type { AppEvent } from '../appEvent.ts';

/** Counts the outages of Redis, also those that are over before the next scrape. */
export function countOutages(registry: Registry): (event: AppEvent) => void {
  const outages = new Counter({
    name: 'trending_redis_outages_total',
    help: 'How often Redis went down for this replica; at the start too, if it cannot be reached then',
    registers: [registry],
  });
  let isDown = false;
  return ({ type }) => {
    // It is emitted for each failed attempt to reconnect, too.
    if (type === 'redisDown' && !isDown) outages.inc();
    if (type === 'redisDown') isDown = true;
    if (type === 'redisUp') isDown = false;
  };
}
