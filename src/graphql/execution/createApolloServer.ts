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
import type { Documents } from './documentCache.ts';
import { createFormatError } from './formatError.ts';
import { createNameNotePlugin } from './operationNamePlugin.ts';
import { createOperationLimitsPlugin } from '../limits/operationLimits.ts';

/** Headers that a forged request cannot have: one of them is asked for where browsers do not ask the server first. */
export const PREFLIGHT_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight'] as const;

/** What the GraphQL server needs to know of the program around it. */
export interface ApolloServerOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly introspection: boolean;
  /** Opens Apollo Sandbox to browsers that visit the endpoint. */
  readonly sandbox: boolean;
  readonly maxCreditsPerOperation: number;
  readonly documentLimits: DocumentLimits;
  readonly log: BaseLogger;
}

/** Makes the GraphQL server, without a transport; start it before use. */
export function createApolloServer(options: ApolloServerOptions): ApolloServer<OperationContext> {
  const { schema, documents, introspection, sandbox, maxCreditsPerOperation, documentLimits, log } = options;
  return new ApolloServer<OperationContext>({
    schema,
    documentStore: documents,
    introspection,
    parseOptions: { maxTokens: documentLimits.tokens },
    validationRules: [createDocumentLimitsRule(documentLimits)],
    // graphql-js stops there, with one error more that says so.
    validationOptions: { maxErrors: documentLimits.validationErrors - 1 },
    executionOptions: { maxCoercionErrors: documentLimits.validationErrors - 1 },
    includeStacktraceInErrorResponses: false,
    csrfPrevention: { requestHeaders: [...PREFLIGHT_HEADERS] },
    // The process listens to signals, not its parts.
    stopOnTerminationSignals: false,
    logger: log,
    formatError: createFormatError({
      // "Did you mean" would tell what introspection hides. Apollo's own way covers validation alone, and takes
      // minutes over a text that says it often.
      hints: introspection,
      limits: documentLimits,
      onUnexpected: (error) => log.error({ err: error }, 'Unexpected error'),
    }),
    // Extensions are added by whoever knows what the answer cost.
    stringifyResult: ({ errors, data }) => JSON.stringify({ errors, data }),
    plugins: [
      createNameNotePlugin(),
      createOperationLimitsPlugin(maxCreditsPerOperation),
      // It would wrap every field; `Cache-Control` is told from the pages instead.
      ApolloServerPluginCacheControlDisabled(),
      // So would this one, for whoever says to be a gateway.
      ApolloServerPluginInlineTraceDisabled(),
      sandbox ? ApolloServerPluginLandingPageLocalDefault() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
