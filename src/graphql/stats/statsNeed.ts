import { type ASTNode, type GraphQLResolveInfo, type OperationDefinitionNode, visit } from 'graphql';
import { type SelectionContext, type Selector, selectedFields } from '../selection.ts';

/** What a selection needs of the numbers on videos. `typename` alone costs nothing. */
export type StatsNeed = 'nothing' | 'typename' | 'numbers';

/** What is needed of `stats`, where these select from videos. */
export function toStatsNeed(videos: readonly Selector[], context: SelectionContext): StatsNeed {
  const stats = selectedFields(videos, context).filter(({ name }) => name.value === 'stats');
  if (stats.length === 0) return 'nothing';
  const fields = selectedFields(stats, context);
  return fields.some(({ name }) => name.value !== '__typename') ? 'numbers' : 'typename';
}

const mentioning = new WeakMap<OperationDefinitionNode, boolean>();

/** False for an operation without a field `stats` anywhere: its selections need not be searched in each execution. */
export function mentionsStats({
  operation,
  fragments,
}: Pick<GraphQLResolveInfo, 'operation' | 'fragments'>): boolean {
  const known = mentioning.get(operation);
  if (known !== undefined) return known;
  const isMentioned = [operation, ...Object.values(fragments)].some(hasStatsField);
  mentioning.set(operation, isMentioned);
  return isMentioned;
}

function hasStatsField(node: ASTNode): boolean {
  let isFound = false;
  visit(node, {
    Field: ({ name }) => {
      if (name.value === 'stats') isFound = true;
    },
  });
  return isFound;
}
