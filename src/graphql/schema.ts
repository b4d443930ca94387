import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { TrendingVideosResolver } from './resolvers/trendingVideos.resolver.ts';
import './types/enums.ts';

/** Builds the schema; `npm run schema` writes it to `schema/schema.graphql`. */
export function createSchema(): GraphQLSchema {
  const schema = buildSchemaSync({ resolvers: [TrendingVideosResolver], validate: false });
  // type-graphql has no way to describe the root type.
  const query = schema.getQueryType();
  if (query) query.description = 'Where every query starts.';
  return schema;
}
