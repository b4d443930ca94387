import {
  type DocumentNode,
  type FieldNode,
  type GraphQLSchema,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
} from 'graphql';
import { type SelectionContext, selectedFields } from '../selection.ts';

/** An operation as a client sent it. */
export interface SentOperation {
  readonly schema: GraphQLSchema;
  readonly document: DocumentNode;
  /** The operation of the document that is executed. */
  readonly operation: OperationDefinitionNode;
  /** As sent: not yet coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
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

/** The fragments of a document, by name. */
export function fragmentsOf({ definitions }: DocumentNode): SelectionContext['fragments'] {
  const fragments = definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return Object.fromEntries(fragments.map((node) => [node.name.value, node]));
}
