import { concatAST, parse, print, printSchema, visit } from 'graphql';
import { createComposableSchema } from './createSchema.ts';

/** The federation's directives that are used, and the first version that has them. */
const LINK = parse(
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
);

/** What this API is to a federated graph; `npm run schema` writes it to `schema/subgraph.graphql`. */
export const subgraphSdl = toSubgraphSdl();

/** graphql-js prints no directives: they are where type-graphql puts those of the classes. */
function toSubgraphSdl(): string {
  const schema = createComposableSchema();
  const definitions = visit(parse(printSchema(schema)), {
    ObjectTypeDefinition: (node) => ({
      ...node,
      directives: schema.getType(node.name.value)?.astNode?.directives ?? [],
    }),
  });
  return `${print(concatAST([LINK, definitions]))}\n`;
}
