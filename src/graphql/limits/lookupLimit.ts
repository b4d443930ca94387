import { getArgumentValues } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { coerceVariables, rootFields, type SentOperation } from './operationCost.ts';

/** Ids that a client may send to one field. */
export const MAX_IDS = 100;
/** Ids that one operation may look up, those of gateways included. They cost no credits, but memory and time. */
export const MAX_IDS_PER_OPERATION = 1000;

/** The fields that look something up: their argument, and how many ids it may have. */
const LOOKUPS: Readonly<Record<string, { readonly argument: string; readonly max: number }>> = {
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
  for (const [node] of rootFields(sent, coerced).values()) {
    const lookup = node && isLookup(node.name.value) ? LOOKUPS[node.name.value] : undefined;
    const field = node && sent.schema.getQueryType()?.getFields()[node.name.value];
    if (!node || !lookup || !field) continue;
    const ids = getArgumentValues(field, node, coerced)[lookup.argument];
    const count = Array.isArray(ids) ? ids.length : 1;
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

function tooMany(expectation: string, count: number): ApiError {
  return new ApiError('BAD_USER_INPUT', { message: `${expectation}, but got: ${count}` });
}
