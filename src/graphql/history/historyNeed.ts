import { type FieldNode, valueFromASTUntyped } from 'graphql';
import { ApiError } from '../../domain/errors.ts';
import { createMentionCheck, type SelectionContext, selectedFields } from '../selection.ts';
import { DEFAULT_HISTORY_DAYS, MAX_HISTORY_DAYS } from '../types/history.args.ts';

/** What a selection of a connection needs of past days. */
export interface HistoryNeed {
  /** For how many UTC days `history` is selected, the current one included; 0 when it is not. */
  readonly days: number;
}

/** False for an operation without any of these fields anywhere. */
export const mentionsHistory = createMentionCheck(['comparedWith', 'previousRank', 'movement', 'history']);

/**
 * What is needed of past days; undefined when nothing is.
 *
 * @throws {ApiError} `BAD_USER_INPUT` for a number of days that is out of range.
 */
export function toHistoryNeed(
  connectionFields: readonly FieldNode[],
  context: SelectionContext,
): HistoryNeed | undefined {
  const fields = selectedFields(connectionFields, context);
  const edges = fields.filter(({ name }) => name.value === 'edges');
  const edgeFields = selectedFields(edges, context);
  const histories = edgeFields.filter(({ name }) => name.value === 'history');
  const days = Math.max(0, ...histories.map((field) => readDays(field, context)));
  const isCompared =
    fields.some(({ name }) => name.value === 'comparedWith') ||
    edgeFields.some(({ name }) => name.value === 'previousRank' || name.value === 'movement');
  return isCompared || days > 0 ? { days } : undefined;
}

/** The argument `days` of a field `history`. */
function readDays({ arguments: args = [] }: FieldNode, { variableValues }: SelectionContext): number {
  const argument = args.find(({ name }) => name.value === 'days');
  const given = argument && valueFromASTUntyped(argument.value, variableValues);
  const days = given === undefined ? DEFAULT_HISTORY_DAYS : given;
  if (typeof days === 'number' && days >= 1 && days <= MAX_HISTORY_DAYS) return days;
  throw new ApiError('BAD_USER_INPUT', {
    message: `Argument "days": expected 1 to ${MAX_HISTORY_DAYS}, but got: ${days}`,
  });
}
