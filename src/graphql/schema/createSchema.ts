// biome-ignore-all assist/source/organizeImports: type-graphql lists the root fields in the order of these imports
import 'reflect-metadata';
import {
  defaultFieldResolver,
  type GraphQLSchema,
  isAbstractType,
  isIntrospectionType,
  isObjectType,
} from 'graphql';
import { buildSchemaSync, type ContainerType, type NonEmptyArray } from 'type-graphql';
import '../types/enums.ts';
import { TrendingVideosResolver } from '../resolvers/trendingVideos.resolver.ts';
import { LookupsResolver } from '../resolvers/lookups.resolver.ts';
import { NodeResolver } from '../resolvers/node.resolver.ts';
import { SubgraphResolver } from '../resolvers/subgraph.resolver.ts';
import { toSubgraphSdl } from './subgraphSdl.ts';

type Resolvers = NonEmptyArray<object>;

/** The resolvers of a federated graph: without `node` and `nodes`, which every graph has only once. */
const COMPOSABLE: Resolvers = [new TrendingVideosResolver(), new LookupsResolver()];

/** The schema for clients; `npm run schema` writes it to `schema/schema.graphql`. */
export function createSchema(): GraphQLSchema {
  return describe(build([...COMPOSABLE, new NodeResolver()]));
}

/** The same, with the queries of a federated graph's gateway. */
export function createSubgraphSchema(): GraphQLSchema {
  return describe(build([...COMPOSABLE, new NodeResolver(), new SubgraphResolver(createSubgraphSdl)]));
}

/** The SDL that a federated graph is composed with; `npm run schema` writes it to `schema/subgraph.graphql`. */
export function createSubgraphSdl(): string {
  return toSubgraphSdl(createComposableSchema());
}

/** Adds the description of the schema. A federated graph would take it over: what it is composed with has none. */
function describe(schema: GraphQLSchema): GraphQLSchema {
  schema.description =
    "TikTok's trending charts: which videos are at the top of a country, by views, likes, comments or reposts, and how " +
    'they move from day to day. Start with `trendingVideos`. All data is cached and shared by all clients; ' +
    '`extensions.upstream` of a response says what it cost.';
  return schema;
}

/** The part of the schema that a federated graph is composed with. */
function createComposableSchema(): GraphQLSchema {
  return build(COMPOSABLE);
}

function build(resolvers: Resolvers): GraphQLSchema {
  const byClass = new Map(resolvers.map((resolver) => [resolver.constructor, resolver]));
  const container: ContainerType = { get: (resolverClass) => byClass.get(resolverClass) };
  const schema = buildSchemaSync({
    resolvers: [...byClass.keys()] as NonEmptyArray<new () => object>,
    container,
    // Types that these resolvers do not lead to stay out, such as those of the subgraph.
    orphanedTypes: [],
    validate: false,
    // The tests check the schema.
    skipCheck: true,
  });
  // type-graphql has no way to describe the root type.
  const query = schema.getQueryType();
  if (query) query.description = 'The root type of all queries.';
  // type-graphql's own functions are asynchronous. Compiled code does not wait for the type of a value, nor does cached
  // JSON of rows for a field.
  for (const type of Object.values(schema.getTypeMap())) {
    // Only videos have a global id so far.
    if (isAbstractType(type)) type.resolveType = () => 'TrendingVideo';
    // Objects have their fields as properties, getters or methods: graphql-js finds them. Compiled code looks for properties
    // only, unless there is a resolver; type-graphql defines one for each getter and method.
    if (isObjectType(type) && type !== query && !isIntrospectionType(type)) {
      for (const field of Object.values(type.getFields())) {
        if (field.resolve) field.resolve = defaultFieldResolver;
      }
    }
  }
  return schema;
}
