import {
  type DocumentNode,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { isJsonObject } from '../../domain/json.ts';
import type { OperationContext } from '../context.ts';
import { checkLookups, isLookup } from '../limits/lookupLimit.ts';
import { MAX_CREDITS_PER_WINDOW, type SentOperation, worstCaseCredits } from '../limits/operationCost.ts';
import { canCompile } from './canCompile.ts';
import type { DocumentCache } from './documentCache.ts';
import { toJson } from './resultJson.ts';
import { toRowSchema } from './rowSchema.ts';

/** See `createFastPath`. */
interface FastPathOptions {
  readonly schema: GraphQLSchema;
  readonly documents: DocumentCache;
  readonly maxCreditsPerOperation: number;
  /** Bounds the JSON of rows. */
  readonly rowBytes: number;
  /** The execution on the fast path from which on an operation is prepared; 3 by default. */
  readonly prepareFrom?: number | undefined;
}

/**
 * Executes the operation in the parsed body of a POST, and returns the result as JSON, in pieces of UTF-8. Undefined
 * when Apollo Server has to execute the request: its document has not been validated yet, the operation is refused, or
 * there are errors.
 */
export type FastPath = (body: unknown, context: OperationContext) => Promise<Buffer[] | undefined>;

type Execute = (
  context: OperationContext,
  variables: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** A body that the fast path understands. */
interface PlainBody {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** What is known of an operation, as long as its parsed document is cached. */
interface PreparedOperation {
  executions: number;
  /** Executes it, once it is prepared. */
  execute?: Execute;
  /** Introspection must be executed with the public schema. */
  readonly hasIntrospection: boolean;
  /** Its worst case, whatever the variables are. */
  readonly maxCredits: number;
  readonly hasLookups: boolean;
}

/**
 * Creates the fast path, for documents that Apollo Server has validated: they are executed by graphql-js alone.
 * Operations that are sent repeatedly are prepared: compiled, and executed with the cached JSON of rows. For others
 * that would only fill the memory.
 */
export function createFastPath(options: FastPathOptions): FastPath {
  const { schema, documents, maxCreditsPerOperation, rowBytes, prepareFrom = 3 } = options;
  const rowSchema = toRowSchema(schema, rowBytes);
  const operations = new WeakMap<OperationDefinitionNode, PreparedOperation>();

  function find(operation: OperationDefinitionNode, document: DocumentNode): PreparedOperation {
    const found = operations.get(operation) ?? inspectDocument(document);
    operations.set(operation, found);
    found.executions++;
    return found;
  }

  function prepare(
    { hasIntrospection }: PreparedOperation,
    document: DocumentNode,
    operationName: string | null | undefined,
  ): Execute {
    if (hasIntrospection) return interpret(schema, document, operationName);
    const interpreted = interpret(rowSchema, document, operationName);
    if (!canCompile(document)) return interpreted;
    const compiled = compileQuery(rowSchema, document, operationName ?? undefined);
    return isCompiledQuery(compiled)
      ? (context, variables) => compiled.query(undefined, context, variables)
      : interpreted;
  }

  /** Refused operations fall through to Apollo Server, which reports why. */
  function isAllowed({ maxCredits, hasLookups }: PreparedOperation, sent: SentOperation): boolean {
    if (maxCredits > maxCreditsPerOperation && worstCaseCredits(sent) > maxCreditsPerOperation) return false;
    if (!hasLookups) return true;
    try {
      // Compiled code would report an error for each invalid id of a list.
      return checkLookups(sent);
    } catch {
      return false;
    }
  }

  return async (body, contextValue) => {
    if (!isPlainBody(body)) return undefined;
    const { query, operationName, variables } = body;
    const document = documents.find(query);
    const operation = document && getOperationAST(document, operationName);
    if (!operation) return undefined;
    contextValue.operation.name = operation.name?.value;
    const variableValues = variables ?? {};
    const prepared = find(operation, document);
    if (!isAllowed(prepared, { schema, document, operation, variables: variableValues })) return undefined;
    if (prepared.executions >= prepareFrom) prepared.execute ??= prepare(prepared, document, operationName);
    const run = prepared.execute ?? interpret(schema, document, operationName);
    const result = await run(contextValue, variableValues);
    return result.errors ? undefined : toJson({ data: result.data });
  };
}

function interpret(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): Execute {
  return (contextValue, variableValues) =>
    execute({ schema, document, operationName, contextValue, variableValues });
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

function inspectDocument(document: DocumentNode): PreparedOperation {
  let charts = 0;
  let hasIntrospection = false;
  let hasLookups = false;
  visit(document, {
    Field: ({ name: { value } }) => {
      if (value === 'trendingVideos') charts++;
      if (isLookup(value)) hasLookups = true;
      if (value === '__schema' || value === '__type') hasIntrospection = true;
    },
  });
  return { executions: 0, hasIntrospection, hasLookups, maxCredits: charts * MAX_CREDITS_PER_WINDOW };
}
