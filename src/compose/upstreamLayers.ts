import type { Config } from '../config/loadConfig.ts';
import { sourceId } from '../config/sourceId.ts';
import type { OnDataEvent } from '../data/events.ts';
import type { RedisConnection } from '../data/redis/connection/redisConnection.ts';
import { createSharedLimits, type SharedLimits } from '../data/redis/sharedLimits.ts';
import { createBudgetLimit } from '../data/upstream/budgetLimit.ts';
import { createCallQueue } from '../data/upstream/callQueue.ts';
import { createAccountBreaker, createEndpointBreaker } from '../data/upstream/circuitBreaker.ts';
import {
  type CreditBudget,
  type CreditBudgetOptions,
  createCreditBudget,
} from '../data/upstream/creditBudget.ts';
import type { LimitsState, OpenCircuit } from '../data/upstream/limitsState.ts';
import { createRateLimit } from '../data/upstream/rateLimit.ts';
import { createSpendingFile } from '../data/upstream/spendingFile.ts';
import { withRetry } from '../data/upstream/withRetry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import type { Source } from '../domain/source.ts';

/** What the layers share. */
interface UpstreamLayersOptions {
  readonly config: Pick<Config, 'keyapi' | 'cache' | 'credits' | 'operationTimeoutMs'>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly onEvent: OnDataEvent;
  /** Where replicas share their limits; undefined without Redis. */
  readonly redis?: RedisConnection | undefined;
}

/** The layers between KeyAPI's client and the caches. */
export interface UpstreamLayers {
  /**
   * Stacks the layers around the client's source of an endpoint, the innermost first: the limits of the account, which
   * all endpoints share, then those of the endpoint. What of a failure is cached, its cache decides.
   */
  wrap<Key, Value>(client: Source<Key, Value>, endpoint: Endpoint<Key>): Source<Key, Value>;
  /**
   * Whether circuits of this process stop calls to an endpoint: one that is made nevertheless fails at once. False while Redis
   * is up, where the replicas share their circuits.
   */
  isStopped(endpoint: Pick<Endpoint<never>, 'name'>): boolean;
  readonly state: LimitsState;
  /** True while no call of this process is in flight or waiting for its turn. */
  isIdle(): boolean;
}

/**
 * The credits that were spent before the process started, and the recorder for the next process; empty without a budget
 * or a file.
 */
type StoredSpending = Pick<CreditBudgetOptions, 'spent' | 'onSpend'>;

/** Creates the layers. */
export function createUpstreamLayers(options: UpstreamLayersOptions): UpstreamLayers {
  const { config, clock, random, onEvent, redis } = options;
  const { qps, concurrency } = config.keyapi;
  const stored = openSpending(options);
  const shared = redis && createLimitsOfReplicas(redis, stored, options);
  const budget = redis ? undefined : createBudgetOfProcess(stored, options);
  // As many calls may wait as can run before their operations time out.
  const maxWaiting = Math.ceil((qps * config.operationTimeoutMs) / 1000);
  const queue = createCallQueue({ concurrency, maxWaiting, onEvent });
  const accountLimits = [
    createRateLimit({ qps: () => qps / (redis?.uncoordinatedReplicas() ?? 1), clock, onEvent }),
    shared?.protect,
    queue.protect,
    budget && createBudgetLimit(budget, onEvent),
  ].filter((limit) => limit !== undefined);
  const accountBreaker = createAccountBreaker({ clock, onEvent });
  const circuits = [accountBreaker.circuit];

  function wrap<Key, Value>(client: Source<Key, Value>, endpoint: Endpoint<Key>): Source<Key, Value> {
    const limited = accountLimits.reduce((source, limit) => limit(source, endpoint), client);
    const endpointBreaker = createEndpointBreaker(endpoint, { clock, onEvent });
    circuits.push(endpointBreaker.circuit);
    const guarded = accountBreaker.protect(endpointBreaker.protect(limited), endpoint);
    // While Redis is up, the replicas share their circuits.
    const source: Source<Key, Value> = (key, call) => (redis?.isUp() ? limited : guarded)(key, call);
    return withRetry(source, endpoint, { clock, random, onEvent });
  }

  /** Those of this process, which count while there is no Redis, or it is down. */
  function openCircuits(): readonly OpenCircuit[] {
    return redis?.isUp() ? [] : circuits.flatMap((circuit) => circuit.state());
  }

  return {
    wrap,
    isStopped: ({ name }) =>
      openCircuits().some(({ endpoint }) => endpoint === undefined || endpoint === name),
    isIdle: queue.isIdle,
    state: {
      openCircuits: () => [...(shared?.openCircuits() ?? []), ...openCircuits()],
      creditsLeft: () => (shared ? shared.creditsLeft() : budget?.left()),
    },
  };
}

function createLimitsOfReplicas(
  redis: RedisConnection,
  stored: StoredSpending,
  { config, clock, onEvent }: UpstreamLayersOptions,
): SharedLimits {
  const { qps, timeoutMs: attemptMs } = config.keyapi;
  const limits = { qps, creditsPerDay: config.credits.perDay, attemptMs };
  return createSharedLimits({ redis, ...limits, ...stored, clock, onEvent });
}

function createBudgetOfProcess(
  stored: StoredSpending,
  { config, clock }: UpstreamLayersOptions,
): CreditBudget | undefined {
  const { perDay } = config.credits;
  if (perDay === undefined) return undefined;
  return createCreditBudget({ creditsPerDay: perDay, clock, ...stored });
}

function openSpending({ config, onEvent }: UpstreamLayersOptions): StoredSpending {
  const { file } = config.cache;
  if (file === undefined || config.credits.perDay === undefined) return {};
  const { read, write } = createSpendingFile({
    file: `${file}.credits`,
    sourceId: sourceId(config),
    onEvent,
  });
  return { spent: read(), onSpend: write };
}
