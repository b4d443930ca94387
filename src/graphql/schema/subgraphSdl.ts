import { concatAST, type GraphQLSchema, parse, print, printSchema, visit } from 'graphql';

/** The federation directives that are used, and the first version that has them. */
const LINK = parse(
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
);

/**
 * The SDL that a federated graph is composed with. graphql-js prints no directives: they are added from the types' AST
 * nodes, where type-graphql puts those of the classes.
 */
export function toSubgraphSdl(schema: GraphQLSchema): string {
  const definitions = visit(parse(printSchema(schema)), {
    ObjectTypeDefinition: (node) => ({
      ...node,
      directives: schema.getType(node.name.value)?.astNode?.directives ?? [],
    }),
  });
  return `${print(concatAST([LINK, definitions]))}\n`;
}
