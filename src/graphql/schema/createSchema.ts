// biome-ignore-all assist/source/organizeImports: the schema has the resolvers' fields in the order of their imports
import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync, type NonEmptyArray } from 'type-graphql';
import '../types/enums.ts';
import { TrendingVideosResolver } from '../resolvers/trendingVideos.resolver.ts';
import { LookupsResolver } from '../resolvers/lookups.resolver.ts';
import { NodeResolver } from '../resolvers/node.resolver.ts';
import { SubgraphResolver } from '../resolvers/subgraph.resolver.ts';

type Resolvers = NonEmptyArray<new () => object>;

/** What a wider graph gets: not `node` and `nodes`, which every graph has once. */
const COMPOSABLE: Resolvers = [TrendingVideosResolver, LookupsResolver];

/** The schema for clients; `npm run schema` writes it to `schema/schema.graphql`. */
export function createSchema(): GraphQLSchema {
  return build([...COMPOSABLE, NodeResolver]);
}

/** The same, with what the gateway of a federated graph asks a subgraph. */
export function createSubgraphSchema(): GraphQLSchema {
  return build([...COMPOSABLE, NodeResolver, SubgraphResolver]);
}

/** The part of the schema that a federated graph is composed with. */
export function createComposableSchema(): GraphQLSchema {
  return build(COMPOSABLE);
}

function build(resolvers: Resolvers): GraphQLSchema {
  // No orphans: types that none of these resolvers leads to stay out, those of the subgraph for one.
  const schema = buildSchemaSync({ resolvers, orphanedTypes: [], validate: false });
  // type-graphql has no way to describe the root type.
  const query = schema.getQueryType();
  if (query) query.description = 'Where every query starts.';
  return schema;
}
