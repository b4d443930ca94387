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
import type { OperationContext } from '../context.ts';
import { checkLookups, isLookup } from '../limits/lookupLimit.ts';
import { MAX_CREDITS_PER_WINDOW, type SentOperation, worstCaseCredits } from '../limits/operationCost.ts';
import { canCompile } from './canCompile.ts';
import type { Documents } from './documentCache.ts';
import { toJson } from './resultJson.ts';
import { toRowSchema } from './rowSchema.ts';

/** See `createKnownOperations`. */
export interface KnownOperationsOptions {
  readonly schema: GraphQLSchema;
  readonly documents: Documents;
  readonly maxCreditsPerOperation: number;
  /** Room for the JSON of rows. */
  readonly rowBytes: number;
  /** From which of its executions on a document is worth preparing for. */
  readonly prepareFrom?: number | undefined;
}

/**
 * Executes an operation that is sent as `body`, and gives the result as JSON in UTF-8, in pieces; undefined for anything that is not an
 * operation of a known document, or does not end without errors: that is Apollo Server's to answer.
 */
export type RunKnown = (body: unknown, context: OperationContext) => Promise<Buffer[] | undefined>;

type Execute = (
  context: OperationContext,
  variables: Readonly<Record<string, unknown>>,
) => ExecutionResult | Promise<ExecutionResult>;

/** An operation as it is sent; there may be more to it. */
interface PlainBody {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

/** What is remembered of an operation for as long as its parsed document is. */
interface Familiarity {
  executions: number;
  /** What executes it from now on. */
  prepared?: Execute;
  /** Introspection tells of the schema that executes it: it must be the public one. */
  readonly asksForSchema: boolean;
  /** What it costs at worst, whatever the variables are. */
  readonly atMostCredits: number;
  readonly hasLookups: boolean;
}

/**
 * Makes the short way for documents that Apollo Server has found valid: graphql-js alone, and for those that come again
 * and again with the JSON of rows that is already made. Of others, such texts would only fill the memory.
 */
export function createKnownOperations(options: KnownOperationsOptions): RunKnown {
  const { schema, documents, maxCreditsPerOperation, rowBytes, prepareFrom = 3 } = options;
  const rowSchema = toRowSchema(schema, rowBytes);
  const operations = new WeakMap<OperationDefinitionNode, Familiarity>();

  function look(operation: OperationDefinitionNode, document: DocumentNode): Familiarity {
    const seen = operations.get(operation) ?? getToKnow(document);
    operations.set(operation, seen);
    seen.executions++;
    return seen;
  }

  function prepare(
    { asksForSchema }: Familiarity,
    document: DocumentNode,
    operationName: string | null | undefined,
  ): Execute {
    if (asksForSchema) return interpret(schema, document, operationName);
    const interpreted = interpret(rowSchema, document, operationName);
    if (!canCompile(document)) return interpreted;
    const compiled = compileQuery(rowSchema, document, operationName ?? undefined);
    return isCompiledQuery(compiled)
      ? (context, variables) => compiled.query(undefined, context, variables)
      : interpreted;
  }

  /** What is not is Apollo Server's to refuse. */
  function isAllowed({ atMostCredits, hasLookups }: Familiarity, sent: SentOperation): boolean {
    if (atMostCredits > maxCreditsPerOperation && worstCaseCredits(sent) > maxCreditsPerOperation)
      return false;
    if (!hasLookups) return true;
    try {
      // Compiled, an operation would make an error of each wrong id of a list.
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
    const seen = look(operation, document);
    if (!isAllowed(seen, { schema, document, operation, variables: variableValues })) return undefined;
    if (seen.executions >= prepareFrom) seen.prepared ??= prepare(seen, document, operationName);
    const run = seen.prepared ?? interpret(schema, document, operationName);
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
  if (!isObject(body)) return false;
  const { query, operationName, variables, extensions } = body;
  return (
    typeof query === 'string' &&
    (typeof operationName === 'string' || isNothing(operationName)) &&
    (isObject(variables) || isNothing(variables)) &&
    // It may hold the hash of another query.
    isNothing(extensions)
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function getToKnow(document: DocumentNode): Familiarity {
  let charts = 0;
  let asksForSchema = false;
  let hasLookups = false;
  visit(document, {
    Field: ({ name: { value } }) => {
      if (value === 'trendingVideos') charts++;
      if (isLookup(value)) hasLookups = true;
      if (value === '__schema' || value === '__type') asksForSchema = true;
    },
  });
  return { executions: 0, asksForSchema, hasLookups, atMostCredits: charts * MAX_CREDITS_PER_WINDOW };
}
