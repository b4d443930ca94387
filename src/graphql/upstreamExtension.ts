import type { ApolloServerPlugin } from '@apollo/server';
import { CREDITS_PER_REQUEST, createUpstreamCost, type UpstreamCost } from '../domain/upstreamCost.ts';
import type { OperationContext } from './context.ts';

/** Where the data comes from: KeyAPI, or the emulator that stands in for it. */
export type UpstreamSource = 'keyapi' | 'emulator';

/** `extensions.upstream` of an answer: what it cost. */
export interface UpstreamExtension {
  readonly source: UpstreamSource;
  readonly requests: number;
  readonly credits: number;
  readonly pages: Readonly<UpstreamCost['pages']>;
}

/** The extension for a cost; for an answer without an operation, nothing was spent. */
export function toUpstreamExtension(
  source: UpstreamSource,
  { requests, pages }: UpstreamCost = createUpstreamCost(),
): UpstreamExtension {
  return { source, requests, credits: requests * CREDITS_PER_REQUEST, pages };
}

/** Says in every operation's answer, failed ones included, what it cost. */
export function createUpstreamExtensionPlugin(source: UpstreamSource): ApolloServerPlugin<OperationContext> {
  return {
    async requestDidStart() {
      return {
        async willSendResponse({ response: { body }, contextValue }) {
          const result = body.kind === 'single' ? body.singleResult : body.initialResult;
          result.extensions = {
            ...result.extensions,
            upstream: toUpstreamExtension(source, contextValue.cost),
          };
        },
      };
    },
  };
}
