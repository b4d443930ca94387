import { Counter, Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../domain/clock.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { toUtcDay } from '../../domain/utcDay.ts';
import type { AppEvent } from '../appEvent.ts';

/** See `countCircuits`. */
export interface CircuitMetricsOptions {
  readonly clock: Clock;
  /** Undefined without a budget. */
  readonly creditsPerDay: number | undefined;
}

/** What opens the circuit: failures in a row, a refused account, and a pause that KeyAPI asks for. */
const CODES: readonly ErrorCode[] = [
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_UNAUTHENTICATED',
  'UPSTREAM_QUOTA_EXCEEDED',
  'UPSTREAM_FORBIDDEN',
  'UPSTREAM_RATE_LIMITED',
];

/** Counts what stops calls: the open circuit, by the error that opened it, and the day's budget. */
export function countCircuits(registry: Registry, options: CircuitMetricsOptions): (event: AppEvent) => void {
  const listeners = [countOpenings(registry, options.clock), countBudget(registry, options)];
  return (event) => {
    for (const listener of listeners) listener(event);
  };
}

function countOpenings(registry: Registry, clock: Clock): (event: AppEvent) => void {
  const registers = [registry];
  let opening: { readonly code: ErrorCode; readonly until: number } | undefined;
  const openings = new Counter({
    name: 'trending_circuit_openings_total',
    help: 'How often the circuit breaker opened, by error',
    labelNames: ['code'],
    registers,
  });
  new Gauge({
    name: 'trending_circuit_open',
    help: '1 while no call to KeyAPI is made, by error',
    labelNames: ['code'],
    registers,
    collect() {
      const open = opening && clock.monotonic() < opening.until ? opening.code : undefined;
      for (const code of CODES) this.set({ code }, code === open ? 1 : 0);
    },
  });
  for (const code of CODES) openings.inc({ code }, 0);

  return (event) => {
    if (event.type === 'circuitClosed') opening = undefined;
    if (event.type !== 'circuitOpened') return;
    opening = { code: event.code, until: clock.monotonic() + event.seconds * 1000 };
    openings.inc({ code: event.code });
  };
}

function countBudget(
  registry: Registry,
  { clock, creditsPerDay }: CircuitMetricsOptions,
): (event: AppEvent) => void {
  const registers = [registry];
  if (creditsPerDay === undefined) return () => undefined;
  let spent = { day: 0, credits: 0 };
  const refusals = new Counter({
    name: 'trending_budget_refusals_total',
    help: "Calls that were refused because the day's credits are spent, or cannot be reserved",
    registers,
  });
  new Gauge({
    name: 'trending_budget_credits_left',
    help: "Credits left of the UTC day's budget",
    registers,
    collect() {
      const isToday = spent.day >= toUtcDay(clock.now());
      this.set(Math.max(0, creditsPerDay - (isToday ? spent.credits : 0)));
    },
  });

  return (event) => {
    if (event.type === 'budgetSpent') spent = event;
    if (event.type === 'budgetRefused' || event.type === 'budgetUnknown') refusals.inc();
  };
}
