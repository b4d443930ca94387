import { Counter, Histogram, type Registry } from 'prom-client';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { AppEvent } from '../appEvent.ts';
import { createBoundedNames } from './boundedNames.ts';

/** Operations that have a name of their own in the metrics, beside those that are known beforehand. */
const MAX_NAMES = 100;
/** More than there are: see `docs/errors.md`. */
const MAX_CODES = 50;
/** In seconds: what is held, what is read, what is waited for. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** What stands for an operation without a name. */
const UNNAMED = 'unnamed';

const PAGE_ORIGINS = ['cached', 'stale', 'shared', 'fetched'] as const;

/** Counts answers, and what they say that they cost. */
export function countResponses(
  registry: Registry,
  operationNames: Iterable<string>,
): (event: AppEvent) => void {
  const registers = [registry];
  const durations = new Histogram({
    name: 'trending_operation_duration_seconds',
    help: 'How long it took until the answer to an operation was there to be sent',
    labelNames: ['operation', 'outcome'],
    buckets: BUCKETS,
    registers,
  });
  const errors = new Counter({
    name: 'trending_errors_total',
    help: 'Answers with an error of this code',
    labelNames: ['code'],
    registers,
  });
  const answers = { made: 0, shared: 0, kept: 0, refused: 0 };
  const pages = { cached: 0, stale: 0, shared: 0, fetched: 0 };
  countByOrigin(registry, 'trending_answers_total', 'Answers, by how they came about', answers);
  countByOrigin(
    registry,
    'trending_pages_total',
    'Pages that operations used, by how these came by them',
    pages,
  );
  new Counter({
    name: 'trending_credits_saved_total',
    help: 'What the pages would have cost that operations used without buying them',
    registers,
    collect() {
      this.reset();
      this.inc((pages.cached + pages.stale + pages.shared) * CREDITS_PER_REQUEST);
    },
  });

  const nameOf = createBoundedNames([...operationNames, UNNAMED], MAX_NAMES);
  const codeOf = createBoundedNames([], MAX_CODES);

  return (event) => {
    if (event.type !== 'response') return;
    const { name = UNNAMED, outcome, origin, codes, cost, durationMs } = event;
    // What was refused is no operation: a flood of it would make all others look quick, and failing.
    if (origin !== 'refused') durations.observe({ operation: nameOf(name), outcome }, durationMs / 1000);
    answers[origin]++;
    for (const code of codes) errors.inc({ code: codeOf(code) });
    for (const from of PAGE_ORIGINS) pages[from] += cost.pages[from];
  };
}

/** A counter of what is counted in `counts`: the way there by the package's own takes longer than finding an answer. */
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
