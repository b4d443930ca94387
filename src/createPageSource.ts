import type { Config } from './config.ts';
import type { OnDataEvent } from './data/events.ts';
import { type CreditBudget, createCreditBudget } from './data/resilience/creditBudget.ts';
import { withCircuitBreaker } from './data/resilience/withCircuitBreaker.ts';
import { withCreditBudget } from './data/resilience/withCreditBudget.ts';
import { withFailureMemory } from './data/resilience/withFailureMemory.ts';
import { withQueue } from './data/resilience/withQueue.ts';
import { withRateLimit } from './data/resilience/withRateLimit.ts';
import { withRetry } from './data/resilience/withRetry.ts';
import { createSpendingFile } from './data/spendingFile.ts';
import type { Clock } from './domain/clock.ts';
import type { PageSource } from './domain/page.ts';

/** What the layers share. */
export interface PageSourceOptions {
  readonly config: Pick<Config, 'keyapi' | 'cache' | 'credits' | 'operationTimeoutMs'>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
}

/** Stacks the layers between the page cache and the wire, from the wire up. */
export function createPageSource(wire: PageSource, options: PageSourceOptions): PageSource {
  const { config, clock, random, onEvent } = options;
  const { qps, concurrency } = config.keyapi;
  // As many as can have their turn before their operations give up.
  const maxWaiting = Math.ceil((qps * config.operationTimeoutMs) / 1000);
  const budget = createBudget(options);

  let source = withRateLimit(wire, { qps, clock, onEvent });
  source = withQueue(source, { concurrency, maxWaiting, onEvent });
  if (budget) source = withCreditBudget(source, budget, onEvent);
  source = withCircuitBreaker(source, { clock, onEvent });
  source = withRetry(source, { clock, random, onEvent });
  return withFailureMemory(source, { clock, ttlMs: config.cache.errorTtlMs });
}

/** Where pages come from, as text: demo data must not be taken for real, nor one upstream for another. */
export function sourceId({ keyapi }: Pick<Config, 'keyapi'>): string {
  return keyapi.emulator ? 'emulator' : keyapi.baseUrl.href.replace(/\/+$/, '');
}

function createBudget({ config, clock, onEvent }: PageSourceOptions): CreditBudget | undefined {
  const { perDay } = config.credits;
  if (perDay === undefined) return undefined;
  const { file } = config.cache;
  const spendingFile = file
    ? createSpendingFile({ file: `${file}.credits`, source: sourceId(config), onEvent })
    : undefined;
  const spent = spendingFile?.read();
  return createCreditBudget({ creditsPerDay: perDay, clock, spent, onSpend: spendingFile?.write });
}
