import {
  type ASTVisitor,
  type DocumentNode,
  defaultFieldResolver,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isObjectType,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { isLookup } from '../limits/lookupLimit.ts';
import { conditionsIn } from './rowJson.ts';
import { CONNECTION_TYPE, ROW_LISTS } from './rowSchema.ts';

/** What is known of a document before any of its operations is executed. */
export interface DocumentFacts {
  /** `trendingVideos` at the root; those of a fragment count once, since spreads with the same key are one field. */
  readonly charts: number;
  readonly hasLookups: boolean;
  /** Whether numbers on videos are selected anywhere. */
  readonly hasStats: boolean;
  /**
   * Whether the row schema gives the same result as the public one. Not with introspection, nor when rows have fields
   * that must be resolved for each operation.
   */
  readonly fitsRowSchema: boolean;
  /** The variables of `@skip` and `@include`. */
  readonly conditions: readonly string[];
}

type Field = GraphQLField<unknown, unknown>;

/** Creates the function that inspects valid documents. */
export function createDocumentInspector(schema: GraphQLSchema): (document: DocumentNode) => DocumentFacts {
  const query = schema.getQueryType();
  const resolved = resolvedRowFields(schema);

  return (document) => {
    let charts = 0;
    let hasLookups = false;
    let hasStats = false;
    let fitsRowSchema = true;
    const typeInfo = new TypeInfo(schema);
    const visitor: ASTVisitor = {
      Field: ({ name: { value } }) => {
        const field = typeInfo.getFieldDef();
        if (field && resolved.has(field)) fitsRowSchema = false;
        if (value === 'stats') hasStats = true;
        // By its name alone, `node` would also be found in `edges { node }`.
        if (typeInfo.getParentType() !== query) return;
        if (value === 'trendingVideos') charts++;
        if (isLookup(value)) hasLookups = true;
        if (value === '__schema' || value === '__type') fitsRowSchema = false;
      },
    };
    visit(document, visitWithTypeInfo(typeInfo, visitor));
    return { charts, hasLookups, hasStats, fitsRowSchema, conditions: conditionsIn(document) };
  };
}

/**
 * The fields of a connection's rows that have a resolver of their own or an abstract type: `RowJson` executes rows once for
 * all operations, without their context, and waits for nothing.
 */
function resolvedRowFields(schema: GraphQLSchema): ReadonlySet<Field> {
  const found = new Set<Field>();
  const seen = new Set<Field>();

  function search(field: Field): void {
    if (seen.has(field)) return;
    seen.add(field);
    const type = getNamedType(field.type);
    const isProperty = !field.resolve || field.resolve === defaultFieldResolver;
    if (!isProperty || isAbstractType(type)) found.add(field);
    else if (isObjectType(type)) Object.values(type.getFields()).forEach(search);
  }

  const connection = schema.getType(CONNECTION_TYPE);
  const fields = isObjectType(connection) ? Object.values(connection.getFields()) : [];
  fields.filter(({ name }) => ROW_LISTS.includes(name)).forEach(search);
  return found;
}
