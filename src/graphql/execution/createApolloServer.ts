import { ApolloServer, type ApolloServerPlugin, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
} from '@apollo/server/plugin/disabled';
import type { FormattedExecutionResult, GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { BaseLogger } from 'pino';
import type { OperationContext } from '../context.ts';
import { createDocumentLimitsRule, type DocumentLimits } from '../limits/documentLimits.ts';
import { createOperationLimitsPlugin } from '../limits/operationLimits.ts';
import type { DocumentCache } from './documentCache.ts';
import type { FormatError } from './formatError.ts';
import { createOperationPlugin } from './operationPlugin.ts';
import { type ExecutedRequest, type OperationRequest, toOperationResult } from './operationResult.ts';

/**
 * Headers that make browsers send a preflight. Requests that browsers could send without one must have one of these.
 */
export const PREFLIGHT_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight'] as const;

/**
 * More than pass through Apollo Server at the same time: a result is taken out a few turns of the event loop after it
 * was created.
 */
const MAX_RESULTS = 10_000;

/** Dependencies and settings of Apollo Server. */
export interface ApolloServerOptions {
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly introspection: boolean;
  /** Renders the page for browsers that visit the endpoint. */
  readonly landingPage: ApolloServerPlugin;
  readonly maxCreditsPerOperation: number;
  readonly maxCoercionErrors: number;
  readonly documentLimits: DocumentLimits;
  readonly formatError: FormatError;
  readonly log: BaseLogger;
}

/** Apollo Server without a transport, started. */
interface StartedApolloServer {
  execute(request: OperationRequest, context: OperationContext): Promise<ExecutedRequest>;
  stop(): Promise<void>;
}

/** Creates and starts Apollo Server. */
export async function createApolloServer(options: ApolloServerOptions): Promise<StartedApolloServer> {
  const { schema, documents, introspection, landingPage, maxCreditsPerOperation, maxCoercionErrors } =
    options;
  const { documentLimits, formatError, log } = options;
  /** Results that pass through Apollo Server, by the placeholder text that represents them there. */
  const results = new LRUCache<string, FormattedExecutionResult>({ max: MAX_RESULTS });
  let serial = 0;

  const apollo = new ApolloServer<OperationContext>({
    schema,
    documentStore: documents,
    introspection,
    parseOptions: { maxTokens: documentLimits.tokens },
    validationRules: [createDocumentLimitsRule(documentLimits)],
    // graphql-js adds one more error that says that there are too many.
    validationOptions: { maxErrors: documentLimits.validationErrors - 1 },
    executionOptions: { maxCoercionErrors },
    includeStacktraceInErrorResponses: false,
    csrfPrevention: { requestHeaders: [...PREFLIGHT_HEADERS] },
    // `endProcess.ts` handles signals.
    stopOnTerminationSignals: false,
    logger: log,
    formatError,
    // Apollo Server responds with the text that this returns, whatever way a result came: executed, or refused before
    // (CSRF, 405, a malformed body) or after that (406). No plugin sees all of these. So this text only stands for the
    // result, which never has to be read back out of JSON. Only the landing page takes another path.
    stringifyResult: (result) => {
      const text = String(++serial);
      results.set(text, result);
      return text;
    },
    plugins: [
      createOperationPlugin(),
      createOperationLimitsPlugin(maxCreditsPerOperation),
      // It would wrap every field. `Cache-Control` is derived from the pages instead.
      ApolloServerPluginCacheControlDisabled(),
      // It would wrap every field too, for any client that claims to be a gateway.
      ApolloServerPluginInlineTraceDisabled(),
      landingPage,
    ],
  });
  await apollo.start();

  return {
    async execute({ method, headers, search, body }, context) {
      const { status = 200, ...executed } = await apollo.executeHTTPGraphQLRequest({
        httpGraphQLRequest: { method, headers: toHeaderMap(headers), search, body },
        context: async () => context,
      });
      if (executed.body.kind !== 'complete')
        throw new TypeError('Expected a complete response: nothing is deferred');
      const { string: text } = executed.body;
      const result = results.get(text);
      if (!result) return { html: text };
      results.delete(text);
      const head = { status, headers: Object.fromEntries(executed.headers) };
      return toOperationResult(result, head, headers.accept, context);
    },
    stop: () => apollo.stop(),
  };
}

function toHeaderMap(headers: OperationRequest['headers']): HeaderMap {
  const map = new HeaderMap();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) map.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return map;
}
