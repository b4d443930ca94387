import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getArgumentValues,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { FULL_CHART, PAGE_SIZE, pageEndpoint } from '../../domain/page.ts';
import { MAX_WINDOW } from '../../domain/window/index.ts';
import { type SelectionContext, selectedFields, toWindowNeed } from '../connection/selection.ts';

/** An operation as a client sent it. */
export interface SentOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  /** The operation of the document that is executed. */
  readonly operation: OperationDefinitionNode;
  /** As sent: not yet coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The arguments of `Query.trendingVideos` that its cost depends on, coerced. */
interface WindowSizes {
  readonly first?: number | null;
  readonly last?: number | null;
  readonly after?: string | null;
  readonly before?: string | null;
}

/** The worst case of one `trendingVideos` field, whatever its arguments are: the largest window at the chart's tail. */
export const MAX_CREDITS_PER_WINDOW = pageEndpoint.credits * (MAX_WINDOW / PAGE_SIZE + 2);

/**
 * The credits that an operation costs in the worst case, when no page is cached: for each `trendingVideos` the pages of
 * its window, one more with a cursor, which may move the window across the edge of a page, and two more for a tail
 * (`last` without `first` and `before`), whose position depends on the chart's length. Aliases are added up as if they
 * shared no pages; retries do not count. An operation that cannot be executed costs nothing.
 */
export function worstCaseCredits(sent: SentOperation): number {
  const { schema, document, operation } = sent;
  const coerced = coerceVariables(sent);
  if (!coerced) return 0;
  const context = { fragments: fragmentsOf(document), variableValues: coerced };
  const pages = [...rootFields({ document, operation }, coerced).values()]
    .filter(([node]) => node?.name.value === 'trendingVideos')
    .map((nodes) => worstCasePages(nodes, schema, context));
  return pageEndpoint.credits * pages.reduce((sum, count) => sum + count, 0);
}

/** The coerced variables; undefined when they cannot be coerced: execution then reports why. */
export function coerceVariables({
  schema,
  operation,
  variables,
}: SentOperation): SelectionContext['variableValues'] | undefined {
  // One error is enough; there could be as many as there are values.
  return getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1 }).coerced;
}

/**
 * The root fields of an operation, by response key. Fields with the same key are one field: validation has checked that
 * their arguments are the same.
 *
 * @param variableValues Coerced.
 */
export function rootFields(
  { document, operation }: Pick<SentOperation, 'document' | 'operation'>,
  variableValues: SelectionContext['variableValues'],
): ReadonlyMap<string, readonly FieldNode[]> {
  const byKey = new Map<string, FieldNode[]>();
  for (const field of selectedFields([operation], { fragments: fragmentsOf(document), variableValues })) {
    const key = field.alias?.value ?? field.name.value;
    const nodes = byKey.get(key);
    if (nodes) nodes.push(field);
    else byKey.set(key, [field]);
  }
  return byKey;
}

function fragmentsOf({ definitions }: DocumentNode): SelectionContext['fragments'] {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((node) => [node.name.value, node]));
}

function worstCasePages(
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
  if (!need.rows) return need.facts ? 1 : 0;
  // With both, `last` is cut from the window of `first`.
  const size = first ?? last ?? PAGE_SIZE;
  const pages = Math.ceil(size / PAGE_SIZE) + (isTail ? 2 : hasCursor ? 1 : 0);
  return Math.min(Math.max(pages, need.facts ? 1 : 0), FULL_CHART / PAGE_SIZE);
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
