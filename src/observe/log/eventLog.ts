import type { Logger } from 'pino';
import type { AppEvent } from '../appEvent.ts';
import { createOperationLog } from './operationLog.ts';

/** Least time between two lines of a frequent event. */
const EVERY_MS = 60_000;

/**
 * Creates a listener that logs events for the operator.
 *
 * @param monotonic Milliseconds from an arbitrary start.
 */
export function createEventLog(log: Logger, monotonic: () => number): (event: AppEvent) => void {
  const loggedAt = new Map<string, number>();
  const logOperation = createOperationLog(log, monotonic);
  /** Whether the log has not reported yet that Redis is up. */
  let shouldLogRedisUp = true;

  /** Under load some events occur thousands of times: they are logged once a minute. */
  function isDue({ type }: AppEvent, endpoint = ''): boolean {
    const now = monotonic();
    const kind = `${type} ${endpoint}`;
    if (now < (loggedAt.get(kind) ?? Number.NEGATIVE_INFINITY) + EVERY_MS) return false;
    loggedAt.set(kind, now);
    return true;
  }

  return (event) => {
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
        if (shouldLogRedisUp) log.info('Redis is up: pages and limits are shared with the other replicas');
        shouldLogRedisUp = false;
        break;
      case 'redisDown':
        if (!isDue(event)) break;
        shouldLogRedisUp = true;
        log.warn(
          { reason: event.reason },
          'Redis is down: this replica continues by itself, with its own cache and its share of the limits',
        );
        break;
      case 'rateLimited':
        if (isDue(event))
          log.warn({ client: event.client }, 'A client sent too many requests: they get HTTP 429');
        break;
      case 'overloaded':
        if (!isDue(event)) break;
        log.warn(
          { overload: event.overload },
          'Overloaded: only cached responses are sent, other requests get HTTP 503',
        );
        break;
      case 'response':
        logOperation(event);
        break;
    }
  };
}
