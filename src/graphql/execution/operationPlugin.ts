import type { ApolloServerPlugin } from '@apollo/server';
import type { OperationContext } from '../context.ts';

/** Records the name and the type of each operation that Apollo Server resolves. */
export function createOperationPlugin(): ApolloServerPlugin<OperationContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ operationName, operation, contextValue }) {
          contextValue.operation.name = operationName ?? undefined;
          contextValue.operation.type = operation?.operation;
        },
      };
    },
  };
}
