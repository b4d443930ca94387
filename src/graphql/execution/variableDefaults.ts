import { Kind, type OperationDefinitionNode, valueFromASTUntyped } from 'graphql';

/**
 * The defaults of an operation's variables that must not be null, as a client would send them. Code that graphql-jit has
 * compiled reports an error when such a variable is left out, although it has a default.
 */
export function requiredDefaults({
  variableDefinitions = [],
}: OperationDefinitionNode): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ type, defaultValue, variable }) =>
      type.kind === Kind.NON_NULL_TYPE && defaultValue
        ? [[variable.name.value, valueFromASTUntyped(defaultValue)]]
        : [],
    ),
  );
}
