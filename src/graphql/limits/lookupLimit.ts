import { type FieldNode, type GraphQLSchema, getArgumentValues } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import type { SelectionContext } from '../selection.ts';
import { coerceVariables, rootFields, type SentOperation } from './sentOperation.ts';

/** Ids that a client may send to one field. */
export const MAX_IDS = 100;
/** Ids that one operation may look up, those of gateways included. They cost memory and time, their
 * numbers credits. */
export const MAX_IDS_PER_OPERATION = 1000;

/** A field that looks something up: its argument, and how many ids that may have. */
interface Lookup {
  readonly argument: string;
  readonly max: number;
}

const LOOKUPS: Readonly<Record<string, Lookup>> = {
  trendingVideo: { argument: 'itemId', max: 1 },
  trendingVideosByItemId: { argument: 'itemIds', max: MAX_IDS },
  node: { argument: 'id', max: 1 },
  nodes: { argument: 'ids', max: MAX_IDS },
  _entities: { argument: 'representations', max: MAX_IDS_PER_OPERATION },
};

/** Whether a field of this name looks something up. */
export function isLookup(fieldName: string): boolean {
  return Object.hasOwn(LOOKUPS, fieldName);
}

/**
 * Checks how many ids an operation looks up, before anything is executed: a list that fails nulls the whole result, and
 * the pages that sibling fields have bought would be lost.
 *
 * @returns False when the variables cannot be coerced: execution then reports why.
 * @throws {ApiError} `BAD_USER_INPUT` for too many ids, in one field or in all together.
 * @throws {GraphQLError} For arguments that cannot be coerced.
 */
export function checkLookups(sent: SentOperation): boolean {
  const coerced = coerceVariables(sent);
  if (!coerced) return false;
  let total = 0;
  for (const nodes of rootFields(sent, coerced).values()) {
    const lookup = lookupOf(nodes);
    if (!lookup) continue;
    const count = readCount(nodes, lookup, sent.schema, coerced);
    if (count > lookup.max) {
      throw tooMany(`Argument "${lookup.argument}": expected at most ${lookup.max} ids`, count);
    }
    total += count;
  }
  if (total > MAX_IDS_PER_OPERATION) {
    throw tooMany(`Expected at most ${MAX_IDS_PER_OPERATION} ids to look up in one operation`, total);
  }
  return true;
}

/**
 * How many ids a root field looks up: 0 for any other field, and for one whose arguments cannot be coerced.
 *
 * @param nodes The field, wherever the operation selects it.
 */
export function countIds(
  nodes: readonly FieldNode[],
  schema: GraphQLSchema,
  { variableValues }: Pick<SelectionContext, 'variableValues'>,
): number {
  const lookup = lookupOf(nodes);
  try {
    return lookup ? readCount(nodes, lookup, schema, variableValues) : 0;
  } catch {
    return 0;
  }
}

function lookupOf([node]: readonly FieldNode[]): Lookup | undefined {
  return node && isLookup(node.name.value) ? LOOKUPS[node.name.value] : undefined;
}

/** @throws {GraphQLError} For arguments that cannot be coerced. */
function readCount(
  [node]: readonly FieldNode[],
  { argument }: Lookup,
  schema: GraphQLSchema,
  variableValues: SelectionContext['variableValues'],
): number {
  const field = node && schema.getQueryType()?.getFields()[node.name.value];
  if (!field) return 0;
  const ids = getArgumentValues(field, node, variableValues)[argument];
  return Array.isArray(ids) ? ids.length : 1;
}

function tooMany(expectation: string, count: number): ApiError {
  return new ApiError('BAD_USER_INPUT', { message: `${expectation}, but got: ${count}` });
}
