import type { OperationContext } from '../context.ts';
import { after } from './after.ts';
import { type ApolloServerOptions, createApolloServer } from './createApolloServer.ts';
import { createFastPath, type FastPathOptions } from './fastPath.ts';
import { createFormatError } from './formatError.ts';
import { chooseMediaType } from './mediaType.ts';
import { type ExecutedRequest, type OperationRequest, toOperationResult } from './operationResult.ts';

/** See `createRequestExecutor`. */
type RequestExecutorOptions = Omit<
  ApolloServerOptions & FastPathOptions,
  'formatError' | 'maxCoercionErrors'
>;

/** Executes requests. */
interface RequestExecutor {
  execute(request: OperationRequest, context: OperationContext): ExecutedRequest | Promise<ExecutedRequest>;
  stop(): Promise<void>;
}

/** The request without its operation: as the body of a POST, and as the query string of a GET. */
const NO_OPERATION: Pick<OperationRequest, 'body' | 'search'> = { body: { query: '' }, search: '' };

/**
 * Creates what executes requests: on the fast path, when it is a POST whose document was validated before, else by
 * Apollo Server, which decides everything else: GET, CSRF prevention, persisted queries.
 */
export async function createRequestExecutor(options: RequestExecutorOptions): Promise<RequestExecutor> {
  const { introspection, documentLimits, log } = options;
  const formatError = createFormatError({
    // "Did you mean" would reveal what introspection hides. Apollo's own option covers validation alone, and takes
    // minutes for a text that contains the hint many times.
    hints: introspection,
    limits: documentLimits,
    onUnexpected: (error) => log.error({ err: error }, 'Unexpected error'),
  });
  // graphql-js adds one more error that says that there are too many.
  const maxCoercionErrors = documentLimits.validationErrors - 1;
  const apollo = await createApolloServer({ ...options, formatError, maxCoercionErrors });
  const fastPath = createFastPath({ ...options, formatError, maxCoercionErrors });

  return {
    execute(request, context) {
      const { accept } = request.headers;
      const mediaType = chooseMediaType(accept);
      // Apollo Server reads this header last, when the operation has been executed and paid for. Without an operation
      // it executes nothing, and responds with 406, or with Sandbox's page.
      if (!mediaType) return apollo.execute({ ...request, ...NO_OPERATION }, context);
      const executed = request.method === 'POST' ? fastPath(request.body, context) : undefined;
      if (!executed) return apollo.execute(request, context);
      return after(executed, (result) => {
        const status = result.data === undefined ? 400 : 200;
        return toOperationResult(result, { status, headers: { 'content-type': mediaType } }, accept, context);
      });
    },
    stop: () => apollo.stop(),
  };
}
