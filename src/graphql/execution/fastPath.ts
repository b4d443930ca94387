import {
  type DocumentNode,
  execute,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { isJsonObject } from '../../domain/json.ts';
import type { OperationContext } from '../context.ts';
import { checkLookups } from '../limits/lookupLimit.ts';
import { MAX_CREDITS_PER_WINDOW, worstCaseCredits } from '../limits/operationCost.ts';
import type { SentOperation } from '../limits/sentOperation.ts';
import { after } from './after.ts';
import { canCompile } from './canCompile.ts';
import type { DocumentCache } from './documentCache.ts';
import { createDocumentInspector, type DocumentFacts } from './documentInspector.ts';
import type { FormatError } from './formatError.ts';
import type { FormattedResult } from './resultJson.ts';
import { toRowSchema } from './rowSchema.ts';
import { requiredDefaults } from './variableDefaults.ts';

/** See `createFastPath`. */
export interface FastPathOptions {
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly maxCreditsPerOperation: number;
  /** Errors reported for variables; when there are more, one more says so. */
  readonly maxCoercionErrors: number;
  /** Bounds the JSON of rows. */
  readonly rowBytes: number;
  /** The execution on the fast path from which on an operation is prepared; 3 by default. */
  readonly prepareFrom?: number | undefined;
  /** Formats errors as Apollo Server would. */
  readonly formatError: FormatError;
}

/**
 * Executes the operation in the parsed body of a POST. Undefined when Apollo Server has to execute the request, since
 * its document has not been validated yet, or has to refuse it: nothing has been executed then.
 */
export type FastPath = (
  body: unknown,
  context: OperationContext,
) => FormattedResult | undefined | Promise<FormattedResult>;

type Execute = (
  context: OperationContext,
  variables: Readonly<Record<string, unknown>>,
) => FormattedResult | Promise<FormattedResult>;

/** A body that the fast path understands. */
interface PlainBody {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** What is known of an operation, as long as its parsed document is cached. */
interface PreparedOperation extends DocumentFacts {
  executions: number;
  /** Executes it, once it is prepared. */
  execute?: Execute;
}

/**
 * Creates the fast path, for documents that Apollo Server has validated: they are executed by graphql-js alone.
 * Operations that are sent repeatedly are prepared: compiled, and executed with the cached JSON of rows. Preparing
 * other operations would only use memory.
 */
export function createFastPath(options: FastPathOptions): FastPath {
  const { schema, documents, maxCreditsPerOperation, maxCoercionErrors, rowBytes, formatError } = options;
  const { prepareFrom = 3 } = options;
  const rowSchema = toRowSchema(schema, rowBytes);
  const inspectDocument = createDocumentInspector(schema);
  const operations = new WeakMap<OperationDefinitionNode, PreparedOperation>();

  function find(operation: OperationDefinitionNode, document: DocumentNode): PreparedOperation {
    const found = operations.get(operation) ?? { ...inspectDocument(document), executions: 0 };
    operations.set(operation, found);
    found.executions++;
    return found;
  }

  function prepare(
    { fitsRowSchema }: PreparedOperation,
    document: DocumentNode,
    operationName: string | null | undefined,
  ): Execute {
    if (!fitsRowSchema) return interpret(schema, document, operationName);
    const interpreted = interpret(rowSchema, document, operationName);
    return canCompile(document) ? compile(document, operationName, interpreted) : interpreted;
  }

  function interpret(
    executable: GraphQLSchema,
    document: DocumentNode,
    operationName: string | null | undefined,
  ): Execute {
    return async (contextValue, variableValues) => {
      const { data, errors } = await execute({
        schema: executable,
        document,
        operationName,
        contextValue,
        variableValues,
        options: { maxCoercionErrors },
      });
      if (!errors) return { data };
      // Without data, the variables could not be coerced.
      const code = data === undefined ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR';
      return { errors: errors.map((error) => formatError(toFormatted(error, code), error)), data };
    };
  }

  function compile(
    document: DocumentNode,
    operationName: string | null | undefined,
    interpreted: Execute,
  ): Execute {
    const compiled = compileQuery(rowSchema, document, operationName ?? undefined);
    const operation = getOperationAST(document, operationName);
    if (!isCompiledQuery(compiled) || !operation) return interpreted;
    const defaults = requiredDefaults(operation);
    return (context, variables) =>
      after(compiled.query(undefined, context, { ...defaults, ...variables }), ({ data, errors }) => {
        // The variables could not be coerced, and nothing was executed. Only graphql-js says where they are declared.
        if (data === undefined) return interpreted(context, variables);
        return errors ? { errors: errors.map(formatCompiled), data } : { data };
      });
  }

  /**
   * Formats an error of compiled code. Unlike graphql-js, graphql-jit gives its own errors no original: they are about
   * an argument, which the client may know, or about a value that is not of its type, which is a defect.
   */
  function formatCompiled(error: GraphQLError): GraphQLFormattedError {
    const { message, originalError } = error;
    const isRequestError = !originalError && message.startsWith('Argument "');
    const formatted = toFormatted(error, isRequestError ? 'BAD_USER_INPUT' : 'INTERNAL_SERVER_ERROR');
    return formatError(formatted, originalError ?? new TypeError(message, { cause: error }));
  }

  /** Adds the errors of rows that were executed apart, where graphql-js would have them. */
  function withRowErrors(
    { data, errors = [] }: FormattedResult,
    { rowErrors }: OperationContext,
  ): FormattedResult {
    if (errors.length + rowErrors.length === 0) return { data };
    if (rowErrors.length === 0) return { errors, data };
    const formatted = rowErrors.map((error) =>
      formatError(toFormatted(error, 'INTERNAL_SERVER_ERROR'), error),
    );
    return { errors: inOrderOf(data, [...errors, ...formatted]), data };
  }

  /** Refused operations fall through to Apollo Server, which reports why. */
  function isAllowed(
    { charts, hasLookups, hasStats, conditions }: PreparedOperation,
    sent: SentOperation,
  ): boolean {
    // Only Apollo Server's execution says where a condition must not be null.
    if (conditions.some((name) => sent.variables[name] === null)) return false;
    const isCheap = charts * MAX_CREDITS_PER_WINDOW <= maxCreditsPerOperation && !(hasLookups && hasStats);
    if (!isCheap && worstCaseCredits(sent) > maxCreditsPerOperation) return false;
    if (!hasLookups) return true;
    try {
      // Compiled code would report an error for each invalid id of a list, and accept numbers that have lost digits.
      return checkLookups(sent);
    } catch {
      return false;
    }
  }

  return (body, contextValue) => {
    if (!isPlainBody(body)) return undefined;
    const { query, operationName, variables } = body;
    const document = documents.find(query);
    const operation = document && getOperationAST(document, operationName);
    if (!operation) return undefined;
    contextValue.operation.name = operation.name?.value;
    contextValue.operation.type = operation.operation;
    const variableValues = variables ?? {};
    const prepared = find(operation, document);
    if (!isAllowed(prepared, { schema, document, operation, variables: variableValues })) return undefined;
    if (prepared.executions >= prepareFrom) prepared.execute ??= prepare(prepared, document, operationName);
    const run = prepared.execute ?? interpret(schema, document, operationName);
    return after(run(contextValue, variableValues), (result) => withRowErrors(result, contextValue));
  };
}

/** Errors in the order of the root fields that they belong to. */
function inOrderOf(
  data: FormattedResult['data'],
  errors: readonly GraphQLFormattedError[],
): GraphQLFormattedError[] {
  const keys = Object.keys(data ?? {});
  const indexOf = ({ path: [key] = [] }: GraphQLFormattedError): number => keys.indexOf(String(key));
  return errors.toSorted((a, b) => indexOf(a) - indexOf(b));
}

/** An error as Apollo Server passes it to `formatError`. */
function toFormatted(error: GraphQLError, defaultCode: string): GraphQLFormattedError {
  return { ...error.toJSON(), extensions: { code: defaultCode, ...error.extensions } };
}

function isPlainBody(body: unknown): body is PlainBody {
  if (!isJsonObject(body)) return false;
  const { query, operationName, variables, extensions } = body;
  return (
    typeof query === 'string' &&
    (typeof operationName === 'string' || isNullish(operationName)) &&
    (isJsonObject(variables) || isNullish(variables)) &&
    // They may contain the hash of another document.
    isNullish(extensions)
  );
}

function isNullish(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
