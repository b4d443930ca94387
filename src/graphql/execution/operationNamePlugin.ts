import type { ApolloServerPlugin } from '@apollo/server';
import type { OperationContext } from '../context.ts';

/** Records the name of each operation that Apollo Server resolves. */
export function createOperationNamePlugin(): ApolloServerPlugin<OperationContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ operationName, contextValue }) {
          contextValue.operation.name = operationName ?? undefined;
        },
      };
    },
  };
}
