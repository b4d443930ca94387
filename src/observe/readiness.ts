import type { Clock } from '../domain/clock.ts';
import { CREDITS_PER_REQUEST } from '../domain/upstreamCost.ts';
import { toUtcDay } from '../domain/utcDay.ts';
import type { AppEvent } from './appEvent.ts';

/** What `/readyz` reports beside its status. None of it makes the server unready: it can still serve cached data. */
export interface Readiness {
  readonly onEvent: (event: AppEvent) => void;
  /**
   * `redis`: `up` or `down`. `breaker`: `open` while no call is made, because KeyAPI fails or refuses. `budget`:
   * `left`, `spent`, or `unknown` while Redis, which stores it, is down.
   *
   * @param isRedisUp Undefined without Redis.
   */
  readonly read: (isRedisUp: boolean | undefined) => Readonly<Record<string, string>>;
}

/**
 * Derives from events whether the server can buy pages.
 *
 * @param creditsPerDay Undefined without a budget.
 */
export function createReadiness(clock: Clock, creditsPerDay: number | undefined): Readiness {
  let openUntil = 0;
  let spent = { day: 0, credits: 0 };

  function onEvent(event: AppEvent): void {
    if (event.type === 'circuitOpened') openUntil = clock.monotonic() + event.seconds * 1000;
    if (event.type === 'circuitClosed') openUntil = 0;
    if (event.type === 'budgetSpent') spent = event;
  }

  function budgetState(perDay: number): string {
    const isToday = spent.day >= toUtcDay(clock.now());
    return perDay - (isToday ? spent.credits : 0) >= CREDITS_PER_REQUEST ? 'left' : 'spent';
  }

  return {
    onEvent,
    read: (isRedisUp) => ({
      ...(isRedisUp !== undefined && { redis: isRedisUp ? 'up' : 'down' }),
      breaker: clock.monotonic() < openUntil ? 'open' : 'closed',
      ...(creditsPerDay !== undefined && {
        budget: isRedisUp === false ? 'unknown' : budgetState(creditsPerDay),
      }),
    }),
  };
}
