import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import type { OperationContext } from '../context.ts';
import { checkLookups } from './lookupLimit.ts';
import { worstCaseCredits } from './operationCost.ts';
import type { SentOperation } from './sentOperation.ts';

/**
 * Refuses operations that could cost more than `maxCredits`, or look up too many ids, before anything is executed or
 * spent.
 */
export function createOperationLimitsPlugin(maxCredits: number): ApolloServerPlugin<OperationContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, operation, document, request }) {
          if (!operation) return;
          const sent = { schema, document, operation, variables: request.variables ?? {} };
          try {
            checkLookups(sent);
            checkCost(sent, maxCredits);
          } catch (error) {
            throw toRefusal(error as Error);
          }
        },
      };
    },
  };
}

function checkCost(sent: SentOperation, maxCredits: number): void {
  const credits = worstCaseCredits(sent);
  if (credits <= maxCredits) return;
  throw new ApiError('OPERATION_TOO_EXPENSIVE', {
    message:
      `Expected an operation that costs at most ${maxCredits} credits (MAX_CREDITS_PER_OPERATION), but got one ` +
      `that could cost ${credits} credits: request smaller windows, fewer charts, or no stats`,
  });
}

/** Apollo Server reports other errors than GraphQLErrors as its own. */
function toRefusal(error: Error): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error instanceof GraphQLError ? (error.nodes ?? null) : null,
    originalError: error,
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  });
}
