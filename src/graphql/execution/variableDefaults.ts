import { Kind, type OperationDefinitionNode, type ValueNode, valueFromASTUntyped, visit } from 'graphql';

/**
 * The defaults of an operation's variables that must not be null, as a client would send them. Code that graphql-jit has
 * compiled reports an error when such a variable is left out, although it has a default. A default with a number that has no
 * exact value in JavaScript, such as the digits of an id, is left out here too.
 */
export function requiredDefaults({
  variableDefinitions = [],
}: OperationDefinitionNode): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    variableDefinitions.flatMap(({ type, defaultValue, variable }) =>
      type.kind === Kind.NON_NULL_TYPE && defaultValue && isExact(defaultValue)
        ? [[variable.name.value, valueFromASTUntyped(defaultValue)]]
        : [],
    ),
  );
}

function isExact(node: ValueNode): boolean {
  let hasExactNumbers = true;
  visit(node, {
    IntValue: ({ value }) => {
      if (!Number.isSafeInteger(Number(value))) hasExactNumbers = false;
    },
  });
  return hasExactNumbers;
}
