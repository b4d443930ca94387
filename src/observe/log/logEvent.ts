import type { Logger } from 'pino';
import { chartId } from '../../domain/chart.ts';
import type { AppEvent } from '../appEvent.ts';
import { createOperationLog } from './operationLog.ts';

export type { AppEvent };

const EVERY_MS = 60_000;

/** Writes what an operator wants to read later to the log; what happens with every operation is only counted. Times are in milliseconds. */
export function logEvent(log: Logger, monotonic: () => number): (event: AppEvent) => void {
  const loggedAt = new Map<string, number>();
  const logOperation = createOperationLog(log, monotonic);
  /** Whether the log has it otherwise that Redis answers. */
  let isRedisNews = true;

  /** Under load some events come by the thousand: a line a minute tells of them. */
  function isDue({ type }: AppEvent): boolean {
    const now = monotonic();
    if (now < (loggedAt.get(type) ?? Number.NEGATIVE_INFINITY) + EVERY_MS) return false;
    loggedAt.set(type, now);
    return true;
  }

  return (event) => {
    switch (event.type) {
      case 'upstreamCall': {
        const { type: _type, chart, outcome, ...fields } = event;
        const line = { chart: chartId(chart), outcome, ...fields };
        if (outcome === 'ok') log.info(line, 'Upstream call');
        else log.warn(line, 'Upstream call failed');
        break;
      }
      case 'rowsDropped':
        log.warn(
          { chart: chartId(event.chart), page: event.page, count: event.count },
          'Rows could not be read; their ranks stay empty',
        );
        break;
      case 'unknownField':
        log.warn({ field: event.field }, 'KeyAPI sends a field that is not known');
        break;
      case 'retry': {
        const { chart, page, code, pauseMs } = event;
        log.info({ chart: chartId(chart), page, code, pauseMs }, 'Upstream call repeated');
        break;
      }
      case 'pageShed':
        if (isDue(event)) log.warn('Too many upstream calls are waiting: pages are not asked for');
        break;
      case 'circuitOpened':
        log.warn({ code: event.code, seconds: event.seconds }, 'Upstream calls are held back');
        break;
      case 'circuitClosed':
        log.info('Upstream calls go on');
        break;
      case 'budgetRefused':
        if (!isDue(event)) break;
        log.warn(
          { retryAfterSeconds: event.retryAfterSeconds },
          "The day's credits are spent: only what is held is served",
        );
        break;
      case 'budgetUnknown':
        if (isDue(event)) log.warn('Credits cannot be reserved without Redis: only what is held is served');
        break;
      case 'cacheFileRead':
        log.info({ file: event.file, pages: event.pages }, 'Cache file read');
        break;
      case 'cacheFileWritten':
        log.info({ file: event.file, pages: event.pages }, 'Cache file written');
        break;
      case 'fileIgnored':
        log.warn({ file: event.file, reason: event.reason }, 'File ignored');
        break;
      case 'fileFailed':
        log.error(
          { file: event.file, reason: event.reason },
          'File cannot be written: a restart forgets what is in it',
        );
        break;
      case 'redisUp':
        if (isRedisNews) log.info('Redis answers: pages and limits are shared with the other replicas');
        isRedisNews = false;
        break;
      case 'redisDown':
        if (!isDue(event)) break;
        isRedisNews = true;
        log.warn({ reason: event.reason }, 'Redis is away: this replica goes on alone');
        break;
      case 'rateLimited':
        if (isDue(event)) log.warn({ client: event.client }, 'A client sends too many requests');
        break;
      case 'overloaded':
        if (!isDue(event)) break;
        log.warn({ overload: event.overload }, 'Too much to do: only answers that are kept are sent');
        break;
      case 'response':
        logOperation(event);
        break;
      case 'pageRead':
      case 'pageRefresh':
      case 'budgetSpent':
        break;
    }
  };
}
