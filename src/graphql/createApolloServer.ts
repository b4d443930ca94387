import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageLocalDefault } from '@apollo/server/plugin/landingPage/default';
import type { BaseLogger } from 'pino';
import type { OperationContext } from './context.ts';
import { createCostLimitPlugin } from './costLimit.ts';
import { createFormatError } from './formatError.ts';
import { createSchema } from './schema.ts';
import {
  createUpstreamExtensionPlugin,
  toUpstreamExtension,
  type UpstreamSource,
} from './upstreamExtension.ts';

/** What the GraphQL server needs to know of the program around it. */
export interface ApolloServerOptions {
  readonly introspection: boolean;
  /** Opens Apollo Sandbox to browsers that visit the endpoint. */
  readonly sandbox: boolean;
  readonly source: UpstreamSource;
  readonly maxCreditsPerOperation: number;
  readonly log: BaseLogger;
}

/** Makes the GraphQL server, without a transport; start it before use. */
export function createApolloServer(options: ApolloServerOptions): ApolloServer<OperationContext> {
  const { introspection, sandbox, source, maxCreditsPerOperation, log } = options;
  return new ApolloServer<OperationContext>({
    schema: createSchema(),
    introspection,
    includeStacktraceInErrorResponses: false,
    csrfPrevention: true,
    // The process listens to signals, not its parts.
    stopOnTerminationSignals: false,
    logger: log,
    formatError: createFormatError({
      // "Did you mean" would tell what introspection hides. Apollo's own way covers validation alone, and takes
      // minutes over a text that says it often.
      hints: introspection,
      onUnexpected: (error) => log.error({ err: error }, 'Unexpected error'),
    }),
    // Answers to requests that name no operation pass no plugin.
    stringifyResult: (result) =>
      `${JSON.stringify({
        ...result,
        extensions: { upstream: toUpstreamExtension(source), ...result.extensions },
      })}\n`,
    plugins: [
      createUpstreamExtensionPlugin(source),
      createCostLimitPlugin(maxCreditsPerOperation),
      sandbox ? ApolloServerPluginLandingPageLocalDefault() : ApolloServerPluginLandingPageDisabled(),
    ],
  });
}
