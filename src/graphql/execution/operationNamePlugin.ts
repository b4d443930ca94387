import type { ApolloServerPlugin } from '@apollo/server';
import type { OperationContext } from '../context.ts';

/** Notes the name of each operation that Apollo Server makes out. */
export function createNameNotePlugin(): ApolloServerPlugin<OperationContext> {
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
