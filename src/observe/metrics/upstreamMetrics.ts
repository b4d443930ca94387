import { Counter, Histogram, type Registry } from 'prom-client';
import type { AppEvent } from '../appEvent.ts';
import { ENDPOINTS } from './endpointLabels.ts';

/** In seconds. */
const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** HTTP statuses with a label of their own. */
const STATUSES: ReadonlySet<number> = new Set([200, 400, 401, 402, 403, 404, 429, 500, 502, 503, 504]);

/** Counts requests to KeyAPI and what they cost, by endpoint. */
export function countUpstream(registry: Registry): (event: AppEvent) => void {
  const registers = [registry];
  const requests = new Counter({
    name: 'trending_upstream_requests_total',
    help: 'Requests to KeyAPI, by endpoint, HTTP status and outcome',
    labelNames: ['endpoint', 'status', 'outcome'],
    registers,
  });
  const durations = new Histogram({
    name: 'trending_upstream_request_duration_seconds',
    help: 'Duration of requests to KeyAPI, up to the last byte of the response',
    labelNames: ['endpoint'],
    buckets: BUCKETS,
    registers,
  });
  const spent = new Counter({
    name: 'trending_credits_spent_total',
    help: 'Credits spent on requests to KeyAPI',
    labelNames: ['endpoint', 'purpose'],
    registers,
  });
  const counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['endpoint'], registers });
  const retries = counter('trending_upstream_retries_total', 'Requests to KeyAPI that were retries');
  const unconnected = counter(
    'trending_upstream_connection_failures_total',
    'Requests to KeyAPI that were not sent, because no connection could be opened',
  );
  const shed = counter(
    'trending_pages_shed_total',
    'Calls that were not made because too many others were waiting',
  );
  const dropped = counter('trending_rows_dropped_total', 'Rows from KeyAPI that could not be read');
  const emptied = new Counter({
    name: 'trending_empty_pages_total',
    help: 'Empty pages from KeyAPI that were not accepted, because rows of them or of their chart are cached',
    registers,
  });
  const emptyBatches = new Counter({
    name: 'trending_empty_batches_total',
    help: 'Batches for which KeyAPI sent no numbers, although numbers on some of their videos are cached',
    registers,
  });
  for (const endpoint of ENDPOINTS) {
    durations.zero({ endpoint });
    for (const purpose of ['operation', 'refresh']) spent.inc({ endpoint, purpose }, 0);
    for (const each of [retries, unconnected, shed, dropped]) each.inc({ endpoint }, 0);
  }

  return (event) => {
    switch (event.type) {
      case 'upstreamCall': {
        const { endpoint, status, outcome, background, credits, durationMs } = event;
        requests.inc({ endpoint, status: toLabel(status), outcome });
        durations.observe({ endpoint }, durationMs / 1000);
        spent.inc({ endpoint, purpose: background ? 'refresh' : 'operation' }, credits);
        break;
      }
      case 'connectionFailed':
        unconnected.inc({ endpoint: event.endpoint });
        break;
      case 'retry':
        retries.inc({ endpoint: event.endpoint });
        break;
      case 'callShed':
        shed.inc({ endpoint: event.endpoint });
        break;
      case 'emptyPage':
        emptied.inc();
        break;
      case 'emptyBatch':
        emptyBatches.inc();
        break;
      case 'rowsDropped':
        dropped.inc({ endpoint: event.endpoint }, event.count);
        break;
    }
  };
}

/** The label of an HTTP status; `none` without a response. */
function toLabel(status: number | undefined): string {
  if (status === undefined) return 'none';
  return STATUSES.has(status) ? String(status) : `${Math.floor(status / 100)}xx`;
}
