import type { ApolloServer } from '@apollo/server';
import { createChartReader } from '../data/windows/chartReader.ts';
import { pageEndpoint } from '../domain/page.ts';
import { createUpstreamCost } from '../domain/upstreamCost.ts';
import type { OperationContext } from '../graphql/context.ts';
import { createApolloServer } from '../graphql/execution/createApolloServer.ts';
import { DocumentCache } from '../graphql/execution/documentCache.ts';
import { createFastPath, type FastPath } from '../graphql/execution/fastPath.ts';
import { createSchema, createSubgraphSchema } from '../graphql/schema/createSchema.ts';
import type { AppContext } from './appContext.ts';
import type { Pages } from './pages.ts';

/** Dependencies of the GraphQL execution. */
interface GraphqlOptions {
  readonly pages: Pages;
  /** See `createFastPath`. */
  readonly prepareFrom: number | undefined;
}

/** What executes operations. */
export interface Graphql {
  /** Started. */
  readonly apollo: ApolloServer<OperationContext>;
  readonly fastPath: FastPath;
  /** Creates the context of one operation, whose deadline starts now. */
  readonly createContext: () => OperationContext;
  readonly documents: DocumentCache;
}

/** Builds the schema, starts Apollo Server, and creates the fast path. */
export async function createGraphql(context: AppContext, options: GraphqlOptions): Promise<Graphql> {
  const { config, log } = context;
  const schema = config.subgraph ? createSubgraphSchema() : createSchema();
  const documents = new DocumentCache(config.cache.documentBytes);
  const { perOperation: maxCreditsPerOperation } = config.credits;
  const { introspection, sandbox, documentLimits } = config;
  const apollo = createApolloServer({
    schema,
    documents,
    introspection,
    sandbox,
    maxCreditsPerOperation,
    documentLimits,
    log,
  });
  await apollo.start();
  const fastPath = createFastPath({
    schema,
    documents,
    maxCreditsPerOperation,
    rowBytes: config.cache.rowBytes,
    prepareFrom: options.prepareFrom,
  });
  return { apollo, fastPath, createContext: createContextFactory(context, options.pages), documents };
}

function createContextFactory(
  { config, clock, onEvent }: AppContext,
  { cache, readPage }: Pages,
): () => OperationContext {
  const waitMs = toWaitMs(config.operationTimeoutMs);
  const maxPages = Math.floor(config.credits.perOperation / pageEndpoint.credits);
  return () => {
    const cost = createUpstreamCost();
    const operation = { cost, deadlineAt: clock.monotonic() + waitMs, pagesLeft: maxPages };
    const charts = createChartReader({ cache, operation, onEvent, readPage });
    return { operation: { name: undefined }, cost, charts, connections: new Map() };
  };
}

/** How long an operation may wait for pages: the rest of its time is for cutting windows, serialising and sending. */
function toWaitMs(operationTimeoutMs: number): number {
  return Math.max(operationTimeoutMs / 2, Math.min(operationTimeoutMs * 0.95, operationTimeoutMs - 50));
}
