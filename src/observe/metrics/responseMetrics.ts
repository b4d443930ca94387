import { Counter, type Registry } from 'prom-client';
import { ERROR_CODES } from '../../domain/errors.ts';
import { pageEndpoint } from '../../domain/page.ts';
import type { OriginCounts } from '../../domain/upstreamCost.ts';
import { MAX_BATCH, statsEndpoint } from '../../domain/videoStats.ts';
import type { AppEvent } from '../appEvent.ts';
import { createBoundedNames } from './boundedNames.ts';
import { countDurations } from './durations.ts';

/** Operations with a label of their own, beside those that are known in advance. */
const MAX_NAMES = 100;
/**
 * Codes whose series exist before the first error: Prometheus sees no increase in a series that begins with 1. A test
 * compares them with `docs/errors.md`.
 */
const EXPECTED_CODES = [
  ...Object.keys(ERROR_CODES),
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'OPERATION_RESOLUTION_FAILURE',
  'UNAUTHENTICATED',
  'RATE_LIMITED',
  'OVERLOADED',
  'SERVER_CLOSING',
  'BAD_REQUEST',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_ID_REQUIRED',
  'INTERNAL_SERVER_ERROR',
];
/** How many other codes have a label of their own: more than a later version of Apollo Server may add. */
const MAX_CODES = 10;
/** Label of an operation without a name. */
const UNNAMED = 'unnamed';

/** Counts responses and what they cost. */
export function countResponses(
  registry: Registry,
  operationNames: Iterable<string>,
): (event: AppEvent) => void {
  const registers = [registry];
  const observeDuration = countDurations(registry);
  const errors = new Counter({
    name: 'trending_errors_total',
    help: 'Responses with an error of this code',
    labelNames: ['code'],
    registers,
  });
  for (const code of EXPECTED_CODES) errors.inc({ code }, 0);
  const responses = { made: 0, shared: 0, kept: 0, refused: 0 };
  const pages = { cached: 0, stale: 0, shared: 0, fetched: 0 };
  const stats = { cached: 0, stale: 0, shared: 0, fetched: 0 };
  countByOrigin(registry, 'trending_answers_total', 'Responses, by origin', responses);
  countByOrigin(registry, 'trending_pages_total', 'Pages that operations used, by origin', pages);
  countByOrigin(registry, 'trending_stats_total', 'Videos whose numbers operations used, by origin', stats);
  new Counter({
    name: 'trending_credits_saved_total',
    help: 'Credits saved by pages and numbers that operations used without fetching them',
    registers,
    collect() {
      this.reset();
      this.inc(toCreditsSaved(pages, stats));
    },
  });

  const nameOf = createBoundedNames([...operationNames, UNNAMED], MAX_NAMES);
  const codeOf = createBoundedNames(EXPECTED_CODES, MAX_CODES);

  return (event) => {
    if (event.type !== 'response') return;
    const { name = UNNAMED, outcome, origin, codes, cost, durationMs } = event;
    // Refused requests are not operations: a flood of them would make operations look fast, and failing.
    if (origin !== 'refused') observeDuration(nameOf(name), outcome, durationMs / 1000);
    responses[origin]++;
    for (const code of codes) errors.inc({ code: codeOf(code) });
    add(pages, cost.pages);
    if (cost.stats) add(stats, cost.stats);
  };
}

function add(sum: OriginCounts, { cached, stale, shared, fetched }: Readonly<OriginCounts>): void {
  sum.cached += cached;
  sum.stale += stale;
  sum.shared += shared;
  sum.fetched += fetched;
}

/** What would have been paid. A video's numbers count as their share of a full batch: the least that they can cost. */
function toCreditsSaved(pages: OriginCounts, stats: OriginCounts): number {
  return countSaved(pages) * pageEndpoint.credits + (countSaved(stats) * statsEndpoint.credits) / MAX_BATCH;
}

function countSaved({ cached, stale, shared }: OriginCounts): number {
  return cached + stale + shared;
}

/** A counter that reads `counts`: incrementing prom-client's own takes longer than serving a cached response. */
function countByOrigin(
  registry: Registry,
  name: string,
  help: string,
  counts: Readonly<Record<string, number>>,
): void {
  new Counter({
    name,
    help,
    labelNames: ['origin'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [origin, count] of Object.entries(counts)) this.inc({ origin }, count);
    },
  });
}
