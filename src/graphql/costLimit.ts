import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { ApiError } from '../domain/errors.ts';
import type { OperationContext } from './context.ts';
import { worstCaseCredits } from './operationCost.ts';

/** Refuses operations that could cost more than `maxCredits`, before anything is executed or spent. */
export function createCostLimitPlugin(maxCredits: number): ApolloServerPlugin<OperationContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, operation, document, request }) {
          const variables = request.variables ?? {};
          const credits = operation ? worstCaseCredits({ schema, document, operation, variables }) : 0;
          if (credits <= maxCredits) return;
          const originalError = new ApiError('OPERATION_TOO_EXPENSIVE', {
            message:
              `This operation could cost ${credits} credits, and at most ${maxCredits} are allowed ` +
              '(MAX_CREDITS_PER_OPERATION): ask for smaller windows or fewer charts at once',
          });
          throw new GraphQLError(originalError.message, {
            originalError,
            extensions: { http: { status: 400 } },
          });
        },
      };
    },
  };
}
