import { Counter, Gauge, type Registry } from 'prom-client';
import type { LimitsState } from '../../data/upstream/limitsState.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { AppEvent } from '../appEvent.ts';

/** What opens a circuit: failures in a row, a refused account or endpoint, and a pause that KeyAPI asks for. */
const CODES: readonly ErrorCode[] = [
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_UNAUTHENTICATED',
  'UPSTREAM_QUOTA_EXCEEDED',
  'UPSTREAM_FORBIDDEN',
  'UPSTREAM_RATE_LIMITED',
  'UPSTREAM_ERROR',
  'UPSTREAM_BAD_RESPONSE',
];

/** Counts how often calls are stopped: by an open circuit and, if there is one, by the day's budget. */
export function countLimits(registry: Registry, hasBudget: boolean): (event: AppEvent) => void {
  const registers = [registry];
  const openings = new Counter({
    name: 'trending_circuit_openings_total',
    help: 'How often the circuit breaker opened, by error',
    labelNames: ['code'],
    registers,
  });
  for (const code of CODES) openings.inc({ code }, 0);
  const refusals = new Counter({
    name: 'trending_budget_refusals_total',
    help: "Calls that were refused because the day's credits are spent, or cannot be reserved",
    registers: hasBudget ? registers : [],
  });

  return (event) => {
    if (event.type === 'circuitOpened') openings.inc({ code: event.code });
    if (event.type === 'budgetRefused' || event.type === 'budgetUnknown') refusals.inc();
  };
}

/** Reads with every scrape what stops calls: open circuits, by error, and the day's budget. */
export function watchLimits(registry: Registry, limits: LimitsState): void {
  const registers = [registry];
  new Gauge({
    name: 'trending_circuit_open',
    help: '1 while no call to KeyAPI is made, by error',
    labelNames: ['code'],
    registers,
    collect() {
      const open = limits.openCircuits().map(({ code }) => code);
      for (const code of CODES) this.set({ code }, open.includes(code) ? 1 : 0);
    },
  });
  if (limits.creditsLeft() === undefined) return;
  new Gauge({
    name: 'trending_budget_credits_left',
    help: "Credits left of the UTC day's budget",
    registers,
    collect() {
      this.set(limits.creditsLeft() ?? 0);
    },
  });
}
