import { type FieldNode, type GraphQLSchema, getArgumentValues } from 'graphql';
import { FULL_CHART, PAGE_SIZE, pageEndpoint } from '../../domain/page.ts';
import { MAX_BATCH, statsEndpoint } from '../../domain/videoStats.ts';
import { MAX_WINDOW } from '../../domain/window/index.ts';
import { toWindowNeed, videoFields } from '../connection/windowNeed.ts';
import type { SelectionContext } from '../selection.ts';
import { toStatsNeed } from '../stats/statsNeed.ts';
import { countIds } from './lookupLimit.ts';
import { coerceVariables, fragmentsOf, rootFields, type SentOperation } from './sentOperation.ts';

/** The arguments of `Query.trendingVideos` that its cost depends on, coerced. */
interface WindowSizes {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/**
 * The worst case of one `trendingVideos` field, whatever its arguments are: the largest window at the chart's tail, with
 * numbers.
 */
export const MAX_CREDITS_PER_WINDOW =
  pageEndpoint.credits * (MAX_WINDOW / PAGE_SIZE + 2) + statsCredits(MAX_WINDOW);

/**
 * The credits that an operation costs in the worst case, when nothing is cached: for each `trendingVideos` the pages of
 * its window, one more with a cursor, which may move the window across the edge of a page, and two more for a tail
 * (`last` without `first` and `before`), whose position depends on the chart's length. For each window, and each list of
 * ids, that selects numbers, a batch for every 10 videos begun. Aliases are added up as if they shared nothing; retries do
 * not count. An operation that cannot be executed costs nothing.
 */
export function worstCaseCredits(sent: SentOperation): number {
  const coerced = coerceVariables(sent);
  if (!coerced) return 0;
  const context = { fragments: fragmentsOf(sent.document), variableValues: coerced };
  let credits = 0;
  for (const nodes of rootFields(sent, coerced).values()) credits += creditsOf(nodes, sent.schema, context);
  return credits;
}

/** The worst case of one root field. */
function creditsOf(nodes: readonly FieldNode[], schema: GraphQLSchema, context: SelectionContext): number {
  if (nodes[0]?.name.value === 'trendingVideos') return windowCredits(nodes, schema, context);
  const isFree = toStatsNeed(nodes, context) !== 'numbers';
  return isFree ? 0 : statsCredits(countIds(nodes, schema, context));
}

/** What the numbers on so many videos cost at most. */
function statsCredits(videos: number): number {
  return statsEndpoint.credits * Math.ceil(videos / MAX_BATCH);
}

function windowCredits(
  nodes: readonly FieldNode[],
  schema: GraphQLSchema,
  context: SelectionContext,
): number {
  const need = toWindowNeed(nodes, context);
  const sizes = toSizes(nodes, schema, context);
  if (!sizes) return 0;
  const { first, last, after, before } = sizes;
  const hasCursor = Boolean(after || before);
  const isTail = typeof first !== 'number' && typeof last === 'number' && !before;
  if (![first, last].every(isSize)) return 0;
  if (!need.rows) return need.facts ? pageEndpoint.credits : 0;
  // With both, `last` is cut from the window of `first`.
  const size = first ?? last ?? PAGE_SIZE;
  const pages = Math.ceil(size / PAGE_SIZE) + (isTail ? 2 : hasCursor ? 1 : 0);
  const bounded = Math.min(Math.max(pages, need.facts ? 1 : 0), FULL_CHART / PAGE_SIZE);
  const hasNumbers = toStatsNeed(videoFields(nodes, context), context) === 'numbers';
  const videos = hasNumbers ? Math.min(size, last ?? size) : 0;
  return pageEndpoint.credits * bounded + statsCredits(videos);
}

/** False for a size that the field refuses. */
function isSize(value: number | null | undefined): boolean {
  return value === null || value === undefined || (value >= 0 && value <= MAX_WINDOW);
}

/** Undefined when execution refuses the arguments. */
function toSizes(
  [node]: readonly FieldNode[],
  schema: GraphQLSchema,
  { variableValues }: SelectionContext,
): WindowSizes | undefined {
  const definition = node && schema.getQueryType()?.getFields()[node.name.value];
  if (!definition) return undefined;
  try {
    return getArgumentValues(definition, node, variableValues);
  } catch {
    return undefined;
  }
}
