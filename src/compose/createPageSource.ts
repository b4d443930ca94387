import type { Config } from '../config/loadConfig.ts';
import type { OnDataEvent } from '../data/events.ts';
import type { RedisLink } from '../data/redis/redisConnection.ts';
import { withSharedAllowance } from '../data/redis/withSharedLimits.ts';
import { createCreditBudget, type Spending } from '../data/upstream/creditBudget.ts';
import { withCircuitBreaker } from '../data/upstream/withCircuitBreaker.ts';
import { withCreditBudget } from '../data/upstream/withCreditBudget.ts';
import { withFailureMemory } from '../data/upstream/withNegativeCache.ts';
import { withQueue } from '../data/upstream/withQueue.ts';
import { withRateLimit } from '../data/upstream/withRateLimit.ts';
import { withRetry } from '../data/upstream/withRetry.ts';
import { createSpendingFile, type SpendingFile } from '../data/upstream/spendingFile.ts';
import type { Clock } from '../domain/clock.ts';
import type { PageSource } from '../domain/page.ts';

/** What the layers share. */
export interface PageSourceOptions {
  readonly config: Pick<Config, 'keyapi' | 'cache' | 'credits' | 'operationTimeoutMs'>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
  /** Where the replicas share what they may do. */
  readonly link?: RedisLink | undefined;
}

/** Stacks the layers between the page cache and the wire, from the wire up. */
export function createPageSource(wire: PageSource, options: PageSourceOptions): PageSource {
  const { config, clock, random, onEvent, link } = options;
  const { qps, concurrency } = config.keyapi;
  // As many as can have their turn before their operations give up.
  const maxWaiting = Math.ceil((qps * config.operationTimeoutMs) / 1000);

  let source = withRateLimit(wire, { qps: () => qps / (link?.sharers() ?? 1), clock, onEvent });
  if (link) source = withAllowance(source, link, options);
  source = withQueue(source, { concurrency, maxWaiting, onEvent });
  if (!link) source = withOwnBudget(source, options);
  source = withOwnCircuitBreaker(source, options);
  source = withRetry(source, { clock, random, onEvent });
  return withFailureMemory(source, { clock, ttlMs: config.cache.errorTtlMs });
}

/** Where pages come from, as text: demo data must not be taken for real, nor one upstream for another. */
export function sourceId({ keyapi }: Pick<Config, 'keyapi'>): string {
  return keyapi.emulator ? 'emulator' : keyapi.baseUrl.href.replace(/\/+$/, '');
}

function withAllowance(source: PageSource, link: RedisLink, options: PageSourceOptions): PageSource {
  const { config, clock, onEvent } = options;
  const { qps, timeoutMs: attemptMs } = config.keyapi;
  const spendingFile = openSpendingFile(options);
  const known = { spent: spendingFile?.read(), onSpend: spendingFile?.write };
  const limits = { qps, creditsPerDay: config.credits.perDay, attemptMs };
  return withSharedAllowance(source, { link, ...limits, ...known, clock, onEvent });
}

function withOwnBudget(source: PageSource, options: PageSourceOptions): PageSource {
  const { config, clock, onEvent } = options;
  const { perDay } = config.credits;
  if (perDay === undefined) return source;
  const spendingFile = openSpendingFile(options);
  const spent = spendingFile?.read();
  const onSpend = (spending: Spending): void => {
    spendingFile?.write(spending);
    onEvent({ type: 'budgetSpent', ...spending });
  };
  const budget = createCreditBudget({ creditsPerDay: perDay, clock, spent, onSpend });
  return withCreditBudget(source, budget, onEvent);
}

/** While Redis answers, the replicas have one circuit together. */
function withOwnCircuitBreaker(source: PageSource, { clock, onEvent, link }: PageSourceOptions): PageSource {
  const broken = withCircuitBreaker(source, { clock, onEvent });
  return (key, fetchOptions) => (link?.isUp() ? source : broken)(key, fetchOptions);
}

function openSpendingFile({ config, onEvent }: PageSourceOptions): SpendingFile | undefined {
  const { file } = config.cache;
  if (file === undefined || config.credits.perDay === undefined) return undefined;
  return createSpendingFile({ file: `${file}.credits`, source: sourceId(config), onEvent });
}
