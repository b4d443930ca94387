import type { BaseLogger } from 'pino';
import type { DataEvent } from './data/events.ts';
import { chartId } from './domain/chart.ts';
import type { KeyapiEvent } from './keyapi/events.ts';

/** All that the layers tell of. */
export type AppEvent = KeyapiEvent | DataEvent;

/** Writes what an operator wants to read later to the log; what happens with every operation is only counted. */
export function logEvent(log: BaseLogger): (event: AppEvent) => void {
  let shed = 0;
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
        // Under load there may be thousands.
        if (shed++ % 100 === 0)
          log.warn({ shed }, 'Too many upstream calls are waiting: pages are not asked for');
        break;
      case 'circuitOpened':
        log.warn({ code: event.code, seconds: event.seconds }, 'Upstream calls are held back');
        break;
      case 'circuitClosed':
        log.info('Upstream calls go on');
        break;
      case 'budgetRefused':
        if (!event.isFirst) break;
        log.warn({ retryAfterSeconds: event.retryAfterSeconds }, "The day's credits are spent");
        break;
      case 'cacheFileRead':
        log.info({ file: event.file, pages: event.pages }, 'Cache file read');
        break;
      case 'cacheFileWritten':
        log.info({ file: event.file, pages: event.pages }, 'Cache file written');
        break;
      case 'cacheFileIgnored':
        log.warn({ file: event.file, reason: event.reason }, 'Cache file ignored');
        break;
      case 'cacheFileFailed':
        log.error({ file: event.file, reason: event.reason }, 'Cache file could not be written');
        break;
      case 'pageRead':
      case 'pageRefresh':
        break;
    }
  };
}
