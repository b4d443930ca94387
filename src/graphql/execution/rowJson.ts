import {
  type ASTNode,
  type DocumentNode,
  type ExecutionResult,
  executeSync,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  TypeInfo,
  type VariableDefinitionNode,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { LRUCache } from 'lru-cache';
import type { Page } from '../../domain/page.ts';
import type { RankedVideo } from '../../domain/window/index.ts';
import type { WindowConnection } from '../connection/windowConnection.ts';
import type { ListStats } from '../stats/readStats.ts';
import { type ByteText, toByteText } from './byteText.ts';
import { canCompile } from './canCompile.ts';
import { JsonList } from './resultJson.ts';

/** The JSON of a page's rows, for one selection. */
interface PageJson {
  /** Each row has a comma before it. */
  readonly text: ByteText;
  /** Where each row ends in `text`; an unreadable row takes no place. */
  readonly ends: readonly number[];
  /** What the field `stats` of each row was, while that may change: undefined when it is not selected. */
  readonly stats: readonly unknown[] | undefined;
  /** `ListStats.stampOf` for the page when they were last found to be the same. */
  stamp: object | undefined;
}

/** What a row's place in `ends`, and its numbers, take in memory, roughly. */
const STATS_BYTES = 200;

/** The rows of a connection, executed. */
interface ExecutedRows {
  readonly list: readonly unknown[];
  readonly errors: readonly GraphQLError[];
}

/** What identifies the selections of an operation. */
interface OperationSelections {
  readonly serial: number;
  /** The variables that its rows may depend on. */
  readonly variables: readonly string[];
  readonly isCompilable: boolean;
  /** The compiled lists of its connections, by their place in the result. */
  readonly compiled: Map<string, CompiledQuery | ExecutionResult>;
}

/**
 * Caches the JSON of rows, by page, selection and the past days that they are compared with, for prepared operations:
 * a page's rows are executed once, and every window on that page reuses the text, until the numbers on one of its
 * videos change. Bounded; the least recently used is evicted first.
 */
export class RowJson {
  readonly #publicSchema: GraphQLSchema;
  /** With the connection as the root type: one of its fields can be executed alone. */
  readonly #schema: GraphQLSchema;
  readonly #json: LRUCache<string, PageJson>;
  readonly #operations = new WeakMap<OperationDefinitionNode, OperationSelections>();
  readonly #pages = new WeakMap<Page, number>();
  #serial = 0;

  /**
   * @param schema The schema that documents were validated against.
   * @param connectionType The type whose lists are serialised.
   * @param maxBytes Bounds the JSON.
   */
  constructor(schema: GraphQLSchema, connectionType: GraphQLObjectType, maxBytes: number) {
    this.#publicSchema = schema;
    this.#schema = new GraphQLSchema({ query: connectionType });
    this.#json = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: ({ text, ends, stats }, key) =>
        text.length + (stats ? STATS_BYTES : 8) * ends.length + 2 * key.length + 500,
    });
  }

  /**
   * Serialises the rows of a connection.
   *
   * @param info Of the list field that is resolved.
   * @param errors Receives the errors in the rows: numbers that are unavailable.
   * @throws {TypeError} When a row cannot be serialised, which the mapper rules out.
   */
  write(connection: WindowConnection, info: GraphQLResolveInfo, errors: GraphQLError[]): JsonList {
    if (connection.stats?.hasErrors) return this.#writeOnce(connection, info, errors);
    const { rows } = connection;
    const selection = this.#selectionId(info);
    let json: ByteText = '';
    for (let from = 0; from < rows.length; ) {
      const to = endOfRun(rows, from);
      const [first, last] = [rows[from] as RankedVideo, rows[to] as RankedVideo];
      const { text, ends } = this.#pageJson(connection, rows.slice(from, to + 1), selection, info);
      const start = ends[indexOf(first) - 1] ?? 0;
      json += text.slice(from === 0 ? start + 1 : start, ends[indexOf(last)]);
      from = to + 1;
    }
    return new JsonList(json);
  }

  /** The JSON of the page that these rows of the connection are on, without a gap. */
  #pageJson(
    connection: WindowConnection,
    rows: readonly RankedVideo[],
    selection: string,
    info: GraphQLResolveInfo,
  ): PageJson {
    const { page } = rows[0] as RankedVideo;
    const key = `${this.#serialOf(page)}|${selection}|${connection.history?.idOf(page) ?? ''}`;
    const cached = this.#json.get(key);
    if (cached && hasStatsOf(cached, rows, connection.stats)) return cached;
    const { list, errors } = this.#execute(connection.ofPage(page), info);
    if (errors.length > 0) throw new TypeError('A row cannot be serialised', { cause: errors });
    const created = toPageJson(page, list, connection.stats);
    this.#json.set(key, created);
    return created;
  }

  /** Serialises rows without caching the JSON: errors in it have paths of their own. */
  #writeOnce(connection: WindowConnection, info: GraphQLResolveInfo, errors: GraphQLError[]): JsonList {
    const { prev } = info.path;
    const executed = this.#interpret(connection, info);
    for (const { message, nodes, path = [], originalError } of executed.errors)
      errors.push(
        new GraphQLError(message, { nodes: nodes ?? null, path: [prev?.key ?? '', ...path], originalError }),
      );
    return new JsonList(toByteText(executed.list.map(toItemJson).join('').slice(1)));
  }

  /** Executes the list field alone, by graphql-js: its errors say where the fields are in the document. */
  #interpret(connection: WindowConnection, info: GraphQLResolveInfo): ExecutedRows {
    const { variableValues, path } = info;
    const document = this.#toDocument(info);
    return toRows(
      executeSync({ schema: this.#schema, document, rootValue: connection, variableValues }),
      path.key,
    );
  }

  /** Executes the list field alone, by compiled code if the operation can be compiled. */
  #execute(connection: WindowConnection, info: GraphQLResolveInfo): ExecutedRows {
    const { isCompilable, compiled } = this.#selectionsOf(info);
    if (!isCompilable) return this.#interpret(connection, info);
    const { path, variableValues } = info;
    const place = placeOf(info);
    const query = compiled.get(place) ?? compileQuery(this.#schema, this.#toDocument(info));
    compiled.set(place, query);
    if (!isCompiledQuery(query)) return this.#interpret(connection, info);
    // Not a promise: no field of a row has to be waited for.
    return toRows(query.query(connection, undefined, variableValues) as ExecutionResult, path.key);
  }

  /** The list field as an operation of its own. With directives, its nodes depend on the variables. */
  #toDocument(info: GraphQLResolveInfo): DocumentNode {
    const { fieldNodes, fragments, operation } = info;
    const { variables } = this.#selectionsOf(info);
    const isUsed = ({ variable }: VariableDefinitionNode): boolean => variables.includes(variable.name.value);
    const list: OperationDefinitionNode = {
      kind: Kind.OPERATION_DEFINITION,
      operation: operation.operation,
      variableDefinitions: operation.variableDefinitions?.filter(isUsed) ?? [],
      selectionSet: { kind: Kind.SELECTION_SET, selections: fieldNodes },
    };
    return { kind: Kind.DOCUMENT, definitions: [list, ...Object.values(fragments)] };
  }

  /** Identifies a selection: by operation, field, and the values of its variables. */
  #selectionId(info: GraphQLResolveInfo): string {
    const { serial, variables } = this.#selectionsOf(info);
    return `${serial}|${placeOf(info)}|${variables.map((name) => info.variableValues[name]).join()}`;
  }

  #selectionsOf({ operation, fragments }: GraphQLResolveInfo): OperationSelections {
    const known = this.#operations.get(operation);
    if (known) return known;
    const definitions = [operation, ...Object.values(fragments)];
    const variables = definitions.flatMap((node) => rowVariablesIn(node, this.#publicSchema));
    const added = {
      serial: ++this.#serial,
      variables: [...new Set(variables)],
      isCompilable: canCompile({ kind: Kind.DOCUMENT, definitions }),
      compiled: new Map(),
    };
    this.#operations.set(operation, added);
    return added;
  }

  #serialOf(page: Page): number {
    const serial = this.#pages.get(page) ?? ++this.#serial;
    this.#pages.set(page, serial);
    return serial;
  }
}

/** The place of a list field in the result: connections are root fields. */
function placeOf({ path: { prev, key } }: GraphQLResolveInfo): string {
  return `${prev?.key}.${key}`;
}

/** @throws {TypeError} When there is no list. */
function toRows({ data, errors = [] }: ExecutionResult, key: string | number): ExecutedRows {
  const list: unknown = data?.[key];
  if (!Array.isArray(list)) throw new TypeError('A row cannot be serialised', { cause: errors });
  return { list, errors };
}

/** @param list The readable rows of the page, executed. */
function toPageJson(page: Page, list: readonly unknown[], stats: ListStats | undefined): PageJson {
  const { rows } = page;
  const items = list.map(toItemJson);
  let end = 0;
  let next = 0;
  const ends = rows.map((row) => {
    if (row) end += Buffer.byteLength(items[next++] ?? '');
    return end;
  });
  const values = stats && rows.map((row) => row && stats.of(row.itemId));
  return { text: toByteText(items.join('')), ends, stats: values, stamp: stats?.stampOf(page) };
}

function toItemJson(item: unknown): string {
  return `,${JSON.stringify(item)}`;
}

/** Whether the JSON of a page has the numbers that these rows of it have now. */
function hasStatsOf(json: PageJson, rows: readonly RankedVideo[], stats: ListStats | undefined): boolean {
  const [first] = rows;
  // Whether a connection needs numbers follows from its selection, and so does the JSON that it reuses.
  if (!stats || !first) return true;
  const { page } = first;
  const stamp = stats.stampOf(page);
  if (!stamp) return rows.every((row) => json.stats?.[indexOf(row)] === stats.of(row.video.itemId));
  if (stamp === json.stamp) return true;
  const isSame = page.rows.every((row, index) => !row || json.stats?.[index] === stats.of(row.itemId));
  if (isSame) json.stamp = stamp;
  return isSame;
}

/** The index of the last row on the same page as the row at `from`, without a gap between them. */
function endOfRun(rows: readonly RankedVideo[], from: number): number {
  let index = from;
  while (
    rows[index + 1]?.page === rows[index]?.page &&
    rows[index + 1]?.rank === (rows[index]?.rank ?? 0) + 1
  )
    index++;
  return index;
}

function indexOf({ rank, page }: RankedVideo): number {
  return (rank - 1) % page.pageSize;
}

/** The variables of directives, and of arguments below the root fields: rows do not depend on others. */
function rowVariablesIn(node: ASTNode, schema: GraphQLSchema): string[] {
  const names = conditionsIn(node);
  const typeInfo = new TypeInfo(schema);
  visit(
    node,
    visitWithTypeInfo(typeInfo, {
      VariableDefinition: () => false,
      Directive: () => false,
      Argument: () => (typeInfo.getParentType() === schema.getQueryType() ? false : undefined),
      Variable: ({ name }) => void names.push(name.value),
    }),
  );
  return names;
}

/** The variables of directives: the schema has no other directives than `@skip` and `@include`. */
export function conditionsIn(node: ASTNode): string[] {
  const names: string[] = [];
  visit(node, {
    Directive: ({ arguments: args = [] }) => {
      for (const { value } of args) if (value.kind === Kind.VARIABLE) names.push(value.name.value);
    },
  });
  return names;
}
