import type { Logger } from 'pino';
import type { Clock } from '../../domain/clock.ts';
import type { AppEvent } from '../appEvent.ts';
import { createClientLog } from './clientLog.ts';
import { createOperationLog } from './operationLog.ts';
import { createRedisLog } from './redisLog.ts';

/** Least time between two lines of a frequent event. */
const EVERY_MS = 60_000;

/** See `createEventLog`. */
interface EventLog {
  readonly onEvent: (event: AppEvent) => void;
  /** Writes what has not been written yet. */
  close(): void;
}

/** Creates a listener that logs events for the operator. */
export function createEventLog(log: Logger, clock: Pick<Clock, 'monotonic' | 'timers'>): EventLog {
  const { monotonic } = clock;
  const loggedAt = new Map<string, number>();
  const logOperation = createOperationLog(log, monotonic);
  const logRateLimited = createClientLog(log, monotonic);
  const redisLog = createRedisLog(log, clock);

  /**
   * Under load some events occur thousands of times: they are logged once a minute.
   *
   * @param subject What they are about; each has lines of its own.
   */
  function isDue({ type }: AppEvent, subject = ''): boolean {
    const now = monotonic();
    const kind = `${type} ${subject}`;
    if (now < (loggedAt.get(kind) ?? Number.NEGATIVE_INFINITY) + EVERY_MS) return false;
    loggedAt.set(kind, now);
    return true;
  }

  function onEvent(event: AppEvent): void {
    switch (event.type) {
      case 'upstreamCall': {
        const { type: _type, endpoint, key, ...fields } = event;
        const line = { endpoint, ...key, ...fields };
        if (event.outcome === 'ok') log.info(line, 'Upstream call');
        else log.warn(line, 'Upstream call failed');
        break;
      }
      case 'connectionFailed': {
        const { type: _type, endpoint, key, ...fields } = event;
        log.warn(
          { endpoint, ...key, ...fields },
          'No connection to KeyAPI: no request was sent, no credits were spent',
        );
        break;
      }
      case 'rowsDropped': {
        const { endpoint, key, count } = event;
        log.warn({ endpoint, ...key, count }, 'KeyAPI sent rows that cannot be read: they are left out');
        break;
      }
      case 'emptyPage': {
        const { endpoint, key } = event;
        log.warn(
          { endpoint, ...key },
          'KeyAPI sent an empty page for a chart with cached rows: it is not stored',
        );
        break;
      }
      case 'emptyBatch': {
        const { endpoint, key } = event;
        log.warn(
          { endpoint, ...key },
          'KeyAPI sent no numbers for videos with cached numbers: this is not stored',
        );
        break;
      }
      case 'unknownField':
        log.warn(
          { endpoint: event.endpoint, field: event.field },
          'KeyAPI sent an unknown field: it is ignored',
        );
        break;
      case 'retry': {
        const { endpoint, key, code, pauseMs } = event;
        log.info({ endpoint, ...key, code, pauseMs }, 'Upstream call retried');
        break;
      }
      case 'callShed':
        if (isDue(event, event.endpoint))
          log.warn(
            { endpoint: event.endpoint },
            'Too many upstream calls are waiting: further calls fail at once',
          );
        break;
      case 'circuitOpened':
        log.warn(
          { endpoint: event.endpoint, code: event.code, seconds: event.seconds },
          'Circuit breaker opened: upstream calls are stopped',
        );
        break;
      case 'circuitClosed':
        log.info({ endpoint: event.endpoint }, 'Circuit breaker closed: upstream calls are allowed again');
        break;
      case 'budgetRefused':
        if (!isDue(event)) break;
        log.warn(
          { retryAfterSeconds: event.retryAfterSeconds },
          'The credits for the day are spent: only cached data is served',
        );
        break;
      case 'budgetUnknown':
        if (isDue(event))
          log.warn('Redis is down, so no credits can be reserved: only cached data is served');
        break;
      case 'cacheFileRead':
        log.info({ file: event.file, stats: event.stats, pages: event.pages }, 'Cache file read');
        break;
      case 'cacheFileWritten':
        log.info({ file: event.file, stats: event.stats, pages: event.pages }, 'Cache file written');
        break;
      case 'historyFileRead':
        log.info({ file: event.file, chartDays: event.chartDays }, 'History file read');
        break;
      case 'snapshotTaken':
        log.info(
          { chart: event.chart, ranks: event.ranks, pages: event.pages },
          "Chart of SNAPSHOT_CHARTS fetched for tomorrow's comparison",
        );
        break;
      case 'snapshotMissed':
        log.warn(
          { chart: event.chart, ranks: event.ranks, knownRanks: event.knownRanks },
          'Chart of SNAPSHOT_CHARTS was not fetched completely on the day that has ended: some movements will be ' +
            'unknown',
        );
        break;
      case 'fileIgnored':
        log.warn({ file: event.file, reason: event.reason }, 'File ignored');
        break;
      case 'fileFailed':
        log.error(
          { file: event.file, reason: event.reason },
          'File cannot be written: its content will be lost at a restart',
        );
        break;
      case 'redisUp':
      case 'redisDown':
        redisLog.onEvent(event);
        break;
      case 'rateLimited':
        logRateLimited(event.client);
        break;
      case 'overloaded':
        if (!isDue(event, event.overload)) break;
        log.warn(
          { overload: event.overload },
          'Overloaded: only cached responses are sent, other requests get HTTP 503',
        );
        break;
      case 'response':
        logOperation(event);
        break;
    }
  }

  return { onEvent, close: redisLog.close };
}
