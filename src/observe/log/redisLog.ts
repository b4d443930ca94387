import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import type { AppEvent } from '../appEvent.ts';

type RedisDown = Extract<AppEvent, { readonly type: 'redisDown' }>;
type RedisEvent = RedisDown | Extract<AppEvent, { readonly type: 'redisUp' }>;

/** How long outages are counted together. */
const WINDOW_MS = 60_000;
/** Outages within that time that have lines of their own. */
const MAX_OUTAGES = 5;

/** See `createRedisLog`. */
interface RedisLog {
  readonly onEvent: (event: RedisEvent) => void;
  /** Writes what has not been written yet. */
  close(): void;
}

/**
 * Creates a listener that logs each outage of Redis, and its end. Failed attempts to reconnect belong to the same outage.
 * If Redis goes down more than five times in a minute, one line at the end of the minute counts the further outages,
 * and says whether it is up.
 */
export function createRedisLog(
  log: Logger,
  { monotonic, timers }: Pick<Clock, 'monotonic' | 'timers'>,
): RedisLog {
  /** Undefined until the first attempt to connect. */
  let isUp: boolean | undefined;
  /** What this outage has been advised so far. */
  const advised = new Set<string | undefined>();
  let windowEnd = Number.NEGATIVE_INFINITY;
  /** Outages in this window. */
  let outages = 0;
  let timer: NodeJS.Timeout | undefined;
  /** From then on no timer is set: it would keep the process running. */
  let isClosed = false;

  const isQuiet = (): boolean => outages > MAX_OUTAGES;

  function startOutage({ reason, advice }: Pick<RedisDown, 'reason' | 'advice'>): void {
    const now = monotonic();
    if (now >= windowEnd) {
      report();
      windowEnd = now + WINDOW_MS;
    }
    isUp = false;
    advised.clear();
    outages++;
    if (isQuiet()) {
      if (!isClosed) timer ??= timers.setTimeout(report, windowEnd - now);
      return;
    }
    advised.add(advice);
    log.warn(
      { reason, advice },
      'Redis is down: this replica continues by itself, with its own cache and its share of the limits',
    );
  }

  /** A later attempt to connect may find a mistake that the first one did not. */
  function continueOutage({ reason, advice }: Pick<RedisDown, 'reason' | 'advice'>): void {
    if (advice === undefined || advised.has(advice) || isQuiet()) return;
    advised.add(advice);
    log.warn({ reason, advice }, 'Redis is still down');
  }

  function endOutage(): void {
    isUp = true;
    if (!isQuiet()) log.info('Redis is up: pages and limits are shared with the other replicas');
  }

  /** Writes the line for outages without lines of their own, if there were any, and starts a new window. */
  function report(): void {
    timers.clearTimeout(timer);
    timer = undefined;
    const further = outages - MAX_OUTAGES;
    outages = 0;
    windowEnd = Number.NEGATIVE_INFINITY;
    if (further > 0)
      log.warn(
        { outages: further, redis: isUp ? 'up' : 'down' },
        'Redis was down repeatedly: these further outages within a minute have no lines of their own',
      );
  }

  return {
    onEvent: (event) => {
      if (event.type === 'redisUp' && isUp !== true) endOutage();
      if (event.type !== 'redisDown') return;
      if (isUp === false) continueOutage(event);
      else startOutage(event);
    },
    close: () => {
      isClosed = true;
      report();
    },
  };
}
