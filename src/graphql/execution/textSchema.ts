import {
  type GraphQLFieldConfig,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
} from 'graphql';
import type { WindowConnection } from '../connection/windowConnection.ts';
import { RowTexts } from './rowTexts.ts';

/** What the executor completes as it is: its JSON is made already. */
const JsonTextScalar = new GraphQLScalarType({ name: 'JsonText', serialize: (value) => value });

/**
 * The schema by which known documents are executed: the public one, but for the connection's lists, which are leaves
 * here, whatever is selected below them. It is neither validated against nor shown.
 *
 * @param maxBytes Room for the texts of rows.
 */
export function toTextSchema(schema: GraphQLSchema, maxBytes: number): GraphQLSchema {
  const query = schema.getQueryType();
  const connection = schema.getType('TrendingVideoConnection');
  if (!query || !(connection instanceof GraphQLObjectType)) throw new TypeError('The schema has no charts');
  const rowTexts = new RowTexts(connection, maxBytes);

  const text = {
    type: new GraphQLNonNull(JsonTextScalar),
    resolve: (source: WindowConnection, _args: object, _context: unknown, info: GraphQLResolveInfo) =>
      rowTexts.write(source, info),
  };
  const textConnection = withFields(connection, { edges: text, nodes: text });
  return new GraphQLSchema({
    query: withFields(query, { trendingVideos: { type: textConnection } }),
    directives: schema.getDirectives(),
  });
}

/** A type with some of its fields changed. */
function withFields(
  type: GraphQLObjectType,
  changes: Readonly<Record<string, Partial<GraphQLFieldConfig<never, unknown>>>>,
): GraphQLObjectType {
  const { fields, ...config } = type.toConfig();
  const changed = Object.entries(fields).map(([name, field]) => [name, { ...field, ...changes[name] }]);
  return new GraphQLObjectType({ ...config, fields: Object.fromEntries(changed) });
}
