import { ApolloServer } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { GraphQLSchema } from 'graphql';
import type { BaseLogger } from 'pino';
import type { OperationContext } from '../context.ts';
import { createDocumentLimitsRule, type DocumentLimits } from '../limits/documentLimits.ts';
import { createOperationLimitsPlugin } from '../limits/operationLimits.ts';
import type { DocumentCache } from './documentCache.ts';
import { createFormatError } from './formatError.ts';
import { createOperationNamePlugin } from './operationNamePlugin.ts';

/**
 * Headers that make browsers send a preflight. Requests that browsers could send without one must have one of these.
 */
export const PREFLIGHT_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight'] as const;

/** Dependencies and settings of Apollo Server. */
interface ApolloServerOptions {
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly introspection: boolean;
  /** Shows Apollo Sandbox to browsers that visit the endpoint. */
  readonly sandbox: boolean;
  readonly maxCreditsPerOperation: number;
  readonly documentLimits: DocumentLimits;
  readonly log: BaseLogger;
}

/** Creates Apollo Server without a transport. Start it before use. */
export function createApolloServer(options: ApolloServerOptions): ApolloServer<OperationContext> {
  const { schema, documents, introspection, sandbox, maxCreditsPerOperation, documentLimits, log } = options;
  return new ApolloServer<OperationContext>({
    schema,
    documentStore: documents,
    introspection,
    parseOptions: { maxTokens: documentLimits.tokens },
    validationRules: [createDocumentLimitsRule(documentLimits)],
    // graphql-js adds one more error that says that there are too many.
    validationOptions: { maxErrors: documentLimits.validationErrors - 1 },
    executionOptions: { maxCoercionErrors: documentLimits.validationErrors - 1 },
    includeStacktraceInErrorResponses: false,
    csrfPrevention: { requestHeaders: [...PREFLIGHT_HEADERS] },
    // `endProcess.ts` handles signals.
    stopOnTerminationSignals: false,
    logger: log,
    formatError: createFormatError({
      // "Did you mean" would reveal what introspection hides. Apollo's own option covers validation alone, and takes
      // minutes for a text that contains the hint many times.
      hints: introspection,
      limits: documentLimits,
      onUnexpected: (error) => log.error({ err: error }, 'Unexpected error'),
    }),
    // `errors` first and nothing after the last brace: `executeRequest` and `buildResponse` rely on both.
    stringifyResult: ({ errors, data }) => JSON.stringify({ errors, data }),
    plugins: [
      createOperationNamePlugin(),
      createOperationLimitsPlugin(maxCreditsPerOperation),
      // It would wrap every field. `Cache-Control` is derived from the pages instead.
      ApolloServerPluginCacheControlDisabled(),
      // It would wrap every field too, for any client that claims to be a gateway.
      ApolloServerPluginInlineTraceDisabled(),
      sandbox ? ApolloServerPluginLandingPageLocalDefault() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
