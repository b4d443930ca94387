import type { Config } from '../config/loadConfig.ts';
import { sourceId } from '../config/sourceId.ts';
import type { OnDataEvent } from '../data/events.ts';
import type { RedisConnection } from '../data/redis/redisConnection.ts';
import { withSharedLimits } from '../data/redis/withSharedLimits.ts';
import { createCreditBudget, type Spending } from '../data/upstream/creditBudget.ts';
import { createSpendingFile, type SpendingFile } from '../data/upstream/spendingFile.ts';
import { withCircuitBreaker } from '../data/upstream/withCircuitBreaker.ts';
import { withCreditBudget } from '../data/upstream/withCreditBudget.ts';
import { withNegativeCache } from '../data/upstream/withNegativeCache.ts';
import { withQueue } from '../data/upstream/withQueue.ts';
import { withRateLimit } from '../data/upstream/withRateLimit.ts';
import { withRetry } from '../data/upstream/withRetry.ts';
import type { Clock } from '../domain/clock.ts';
import type { PageSource } from '../domain/page.ts';

/** What the layers share. */
interface UpstreamLayersOptions {
  readonly config: Pick<Config, 'keyapi' | 'cache' | 'credits' | 'operationTimeoutMs'>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
  /** Where replicas share their limits; undefined for a process on its own. */
  readonly redis?: RedisConnection | undefined;
}

/** Stacks the layers between the client and the page cache, the innermost first. */
export function createUpstreamLayers(client: PageSource, options: UpstreamLayersOptions): PageSource {
  const { config, clock, random, onEvent, redis } = options;
  const { qps, concurrency } = config.keyapi;
  // As many as can have their turn before their operations time out.
  const maxWaiting = Math.ceil((qps * config.operationTimeoutMs) / 1000);

  let source = withRateLimit(client, {
    qps: () => qps / (redis?.uncoordinatedReplicas() ?? 1),
    clock,
    onEvent,
  });
  if (redis) source = withLimitsOfReplicas(source, redis, options);
  source = withQueue(source, { concurrency, maxWaiting, onEvent });
  if (!redis) source = withBudgetOfProcess(source, options);
  source = withCircuitBreakerOfProcess(source, options);
  source = withRetry(source, { clock, random, onEvent });
  return withNegativeCache(source, { clock, ttlMs: config.cache.errorTtlMs });
}

function withLimitsOfReplicas(
  source: PageSource,
  redis: RedisConnection,
  options: UpstreamLayersOptions,
): PageSource {
  const { config, clock, onEvent } = options;
  const { qps, timeoutMs: attemptMs } = config.keyapi;
  const spendingFile = openSpendingFile(options);
  const spending = { spent: spendingFile?.read(), onSpend: spendingFile?.write };
  const limits = { qps, creditsPerDay: config.credits.perDay, attemptMs };
  return withSharedLimits(source, { redis, ...limits, ...spending, clock, onEvent });
}

function withBudgetOfProcess(source: PageSource, options: UpstreamLayersOptions): PageSource {
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

/** Bypassed while Redis is up: the replicas then share one circuit breaker. */
function withCircuitBreakerOfProcess(
  source: PageSource,
  { clock, onEvent, redis }: UpstreamLayersOptions,
): PageSource {
  const protectedSource = withCircuitBreaker(source, { clock, onEvent });
  return (key, fetchOptions) => (redis?.isUp() ? source : protectedSource)(key, fetchOptions);
}

function openSpendingFile({ config, onEvent }: UpstreamLayersOptions): SpendingFile | undefined {
  const { file } = config.cache;
  if (file === undefined || config.credits.perDay === undefined) return undefined;
  return createSpendingFile({ file: `${file}.credits`, sourceId: sourceId(config), onEvent });
}
