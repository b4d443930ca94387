import type { History } from '../data/history/history.ts';
import { OperationHistory } from '../data/history/operationHistory.ts';
import { OperationStats } from '../data/stats/operationStats.ts';
import type { StatsCache } from '../data/stats/statsCache.ts';
import { createChartReader } from '../data/windows/chartReader.ts';
import { createUpstreamCost } from '../domain/upstreamCost.ts';
import type { OperationContext } from '../graphql/context.ts';
import { DocumentCache } from '../graphql/execution/documentCache.ts';
import type { ExecuteOperation } from '../graphql/execution/operationResult.ts';
import { createRequestExecutor } from '../graphql/execution/requestExecutor.ts';
import { createSchema, createSubgraphSchema } from '../graphql/schema/createSchema.ts';
import { createLandingPage, type LandingPageOptions } from '../server/explorer/landingPage.ts';
import type { AppContext } from './appContext.ts';
import type { Pages } from './pages.ts';

/** Dependencies of the GraphQL execution. */
interface GraphqlOptions {
  readonly pages: Pages;
  readonly stats: StatsCache;
  readonly history: History;
  readonly explorer: LandingPageOptions;
  /** See `createFastPath`. */
  readonly prepareFrom: number | undefined;
}

/** What executes operations. */
export interface Graphql {
  /** Starts an operation, whose deadline counts from now. */
  readonly startOperation: () => ExecuteOperation;
  readonly documents: DocumentCache;
  close(): Promise<void>;
}

/** Builds the schema, and creates the executor of requests. */
export async function createGraphql(context: AppContext, options: GraphqlOptions): Promise<Graphql> {
  const { config, log } = context;
  const { introspection, documentLimits } = config;
  const documents = new DocumentCache(config.cache.documentBytes);
  const executor = await createRequestExecutor({
    schema: config.subgraph ? createSubgraphSchema() : createSchema(),
    documents,
    introspection,
    landingPage: createLandingPage(options.explorer),
    maxCreditsPerOperation: config.credits.perOperation,
    documentLimits,
    rowBytes: config.cache.rowBytes,
    prepareFrom: options.prepareFrom,
    log,
  });
  const createContext = createContextFactory(context, options);
  return {
    startOperation: () => {
      const operation = createContext();
      return (request) => executor.execute(request, operation);
    },
    documents,
    close: () => executor.stop(),
  };
}

function createContextFactory(
  { config, clock }: AppContext,
  { pages: { cache, readPage }, stats, history }: Pick<GraphqlOptions, 'pages' | 'stats' | 'history'>,
): () => OperationContext {
  const waitMs = toWaitMs(config.operationTimeoutMs);
  return () => {
    const cost = createUpstreamCost();
    const operation = {
      cost,
      deadlineAt: clock.monotonic() + waitMs,
      creditsLeft: config.credits.perOperation,
    };
    const charts = createChartReader({ cache, operation, readPage });
    return {
      operation: { name: undefined, type: undefined },
      cost,
      charts,
      stats: new OperationStats(stats, operation),
      history: new OperationHistory(history, clock),
      rowErrors: [],
    };
  };
}

/**
 * How long an operation may wait for pages and numbers; the rest of its time is reserved for cutting windows,
 * serialising and sending.
 */
function toWaitMs(operationTimeoutMs: number): number {
  return Math.max(operationTimeoutMs / 2, Math.min(operationTimeoutMs * 0.95, operationTimeoutMs - 50));
}
