import type { BaseLogger } from 'pino';
import { chartId } from './domain/chart.ts';
import type { OnKeyapiEvent } from './keyapi/events.ts';

/** Writes what happens on the wire to the log: one line an upstream call, and a warning where data was odd. */
export function logKeyapiEvent(log: BaseLogger): OnKeyapiEvent {
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
    }
  };
}
