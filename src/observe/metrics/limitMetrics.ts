import { Counter, Gauge, type Registry } from 'prom-client';
import type { LimitsState } from '../../data/upstream/limitsState.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { AppEvent } from '../appEvent.ts';
import { ACCOUNT, ENDPOINTS } from './endpointLabels.ts';

/** What opens the circuit of the account: KeyAPI refuses it, or asks for a pause. */
const ACCOUNT_CODES: readonly ErrorCode[] = [
  'UPSTREAM_UNAUTHENTICATED',
  'UPSTREAM_QUOTA_EXCEEDED',
  'UPSTREAM_RATE_LIMITED',
];
/** What opens the circuit of an endpoint: failures in a row, responses that stop its calls, and a requested pause. */
const ENDPOINT_CODES: readonly ErrorCode[] = [
  'UPSTREAM_UNAVAILABLE',
  'UPSTREAM_FORBIDDEN',
  'UPSTREAM_ERROR',
  'UPSTREAM_BAD_RESPONSE',
];

/** The label `endpoint` and `code` of each circuit that can open. */
const CIRCUITS = [
  ...ACCOUNT_CODES.map((code) => ({ endpoint: ACCOUNT, code })),
  ...ENDPOINTS.flatMap((endpoint) => ENDPOINT_CODES.map((code) => ({ endpoint, code }))),
];

/** Counts how often calls are stopped: by an open circuit and, if there is one, by the day's budget. */
export function countLimits(registry: Registry, hasBudget: boolean): (event: AppEvent) => void {
  const registers = [registry];
  const openings = new Counter({
    name: 'trending_circuit_openings_total',
    help: 'How often the circuit breaker opened, by endpoint and error',
    labelNames: ['endpoint', 'code'],
    registers,
  });
  for (const labels of CIRCUITS) openings.inc(labels, 0);
  const refusals = new Counter({
    name: 'trending_budget_refusals_total',
    help: 'Calls that were refused because the credits for the day are spent or cannot be reserved',
    registers: hasBudget ? registers : [],
  });

  return (event) => {
    if (event.type === 'circuitOpened')
      openings.inc({ endpoint: event.endpoint ?? ACCOUNT, code: event.code });
    if (event.type === 'budgetRefused' || event.type === 'budgetUnknown') refusals.inc();
  };
}

/** Reads with every scrape what stops calls: open circuits, by endpoint and error, and the day's budget. */
export function watchLimits(registry: Registry, limits: LimitsState): void {
  const registers = [registry];
  new Gauge({
    name: 'trending_circuit_open',
    help: '1 while the circuit breaker stops calls, by endpoint (account: calls to all endpoints) and error',
    labelNames: ['endpoint', 'code'],
    registers,
    collect() {
      this.reset();
      for (const labels of CIRCUITS) this.set(labels, 0);
      for (const { endpoint = ACCOUNT, code } of limits.openCircuits()) this.set({ endpoint, code }, 1);
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
