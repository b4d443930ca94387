import {
  type GraphQLFieldConfig,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
} from 'graphql';
import { readConnection } from '../connection/readConnection.ts';
import type { WindowConnection } from '../connection/windowConnection.ts';
import type { OperationContext } from '../context.ts';
import type { TrendingVideosArgs } from '../types/trendingVideos.args.ts';
import { RowJson } from './rowJson.ts';

/** The connection of charts, and those of its fields that are lists of rows. */
export const CONNECTION_TYPE = 'TrendingVideoConnection';
export const ROW_LISTS: readonly string[] = ['edges', 'nodes'];

/** A leaf type for values that are serialised already. */
const JsonListScalar = new GraphQLScalarType({ name: 'JsonList', serialize: (value) => value });

/**
 * The schema that prepared operations are executed with: the public schema, except that the connection's lists are
 * leaves, whatever is selected below them. Documents are not validated against it, and clients never see it.
 *
 * @param maxBytes Bounds the JSON of rows.
 */
export function toRowSchema(schema: GraphQLSchema, maxBytes: number): GraphQLSchema {
  const query = schema.getQueryType();
  const connection = schema.getType(CONNECTION_TYPE);
  if (!query || !(connection instanceof GraphQLObjectType)) throw new TypeError('The schema has no charts');
  const rowJson = new RowJson(schema, connection, maxBytes);

  const list = {
    type: new GraphQLNonNull(JsonListScalar),
    resolve: (source: WindowConnection, _args: object, context: OperationContext, info: GraphQLResolveInfo) =>
      rowJson.write(source, info, context.rowErrors),
  };
  const connectionType = withFields(connection, Object.fromEntries(ROW_LISTS.map((name) => [name, list])));
  return new GraphQLSchema({
    query: withFields(query, {
      trendingVideos: {
        type: connectionType,
        resolve: (_root, args: TrendingVideosArgs, context: OperationContext, info) =>
          readConnection(args, context, info),
      },
    }),
    directives: schema.getDirectives(),
  });
}

/** The type with some of its fields changed. */
function withFields(
  type: GraphQLObjectType,
  changes: Readonly<Record<string, Partial<GraphQLFieldConfig<never, OperationContext>>>>,
): GraphQLObjectType {
  const { fields, ...config } = type.toConfig();
  const changed = Object.entries(fields).map(([name, field]) => [name, { ...field, ...changes[name] }]);
  return new GraphQLObjectType({ ...config, fields: Object.fromEntries(changed) });
}
