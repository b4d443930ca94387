import {
  executeSync,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import type { Page } from '../../domain/page.ts';
import type { RankedVideo } from '../../domain/window/index.ts';
import type { WindowConnection } from '../connection/windowConnection.ts';
import { JsonList, toJsonItem } from './json.ts';

/** One selection's JSON of a page's rows; empty where none was made yet. */
type PageJson = readonly (Buffer | undefined)[];

/** What it takes to name the selections of an operation. */
interface KnownOperation {
  readonly serial: number;
  /** Variables that say which fields are selected. */
  readonly conditions: readonly string[];
}

/**
 * The JSON of rows, as selections of known documents have them: made once for each row of a page that is held, by
 * graphql-js, and used in every window that the row stands in. Bounded; least recently used first out.
 */
export class RowJson {
  readonly #schema: GraphQLSchema;
  readonly #json: LRUCache<string, PageJson>;
  readonly #operations = new WeakMap<OperationDefinitionNode, KnownOperation>();
  readonly #pages = new WeakMap<Page, number>();
  #serial = 0;

  /**
   * @param connectionType The type whose lists are written.
   * @param maxBytes Room for the JSON.
   */
  constructor(connectionType: GraphQLObjectType, maxBytes: number) {
    // The connection is the root here: a field of it can be executed alone.
    this.#schema = new GraphQLSchema({ query: connectionType });
    this.#json = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeOf });
  }

  /**
   * The list of a connection's rows.
   *
   * @param info Of the list field that is resolved.
   * @throws When a row does not serialise, which the mapper rules out.
   */
  write(connection: WindowConnection, info: GraphQLResolveInfo): JsonList {
    const { rows } = connection;
    const selection = this.#selectionId(info);
    const found = this.#find(selection, rows);
    const missing = rows.filter((_, index) => found[index] === undefined);
    const made = missing.length > 0 ? this.#make(connection.only(missing), info) : [];
    if (made.length > 0) this.#keep(selection, missing, made);
    let next = 0;
    return new JsonList(found.map((json) => json ?? (made[next++] as Buffer)));
  }

  #find(selection: string, rows: readonly RankedVideo[]): (Buffer | undefined)[] {
    let page: Page | undefined;
    let json: PageJson | undefined;
    return rows.map((row) => {
      if (row.page !== page) {
        page = row.page;
        json = this.#json.get(this.#key(selection, page));
      }
      return json?.[indexOf(row)];
    });
  }

  #keep(selection: string, rows: readonly RankedVideo[], made: readonly Buffer[]): void {
    const pages = new Map<Page, (Buffer | undefined)[]>();
    for (const [index, row] of rows.entries()) {
      const json = pages.get(row.page) ?? [...(this.#json.get(this.#key(selection, row.page)) ?? [])];
      json[indexOf(row)] = made[index];
      pages.set(row.page, json);
    }
    for (const [page, json] of pages) this.#json.set(this.#key(selection, page), json);
  }

  /** Executes the list field alone. */
  #make(connection: WindowConnection, info: GraphQLResolveInfo): Buffer[] {
    const { fieldNodes, fragments, operation, variableValues, path } = info;
    const { conditions } = this.#known(info);
    const isCondition = ({ variable }: VariableDefinitionNode): boolean =>
      conditions.includes(variable.name.value);
    const field: OperationDefinitionNode = {
      kind: Kind.OPERATION_DEFINITION,
      operation: operation.operation,
      variableDefinitions: operation.variableDefinitions?.filter(isCondition) ?? [],
      selectionSet: { kind: Kind.SELECTION_SET, selections: fieldNodes },
    };
    const { data, errors } = executeSync({
      schema: this.#schema,
      document: { kind: Kind.DOCUMENT, definitions: [field, ...Object.values(fragments)] },
      rootValue: connection,
      variableValues,
    });
    const list: unknown = data?.[path.key];
    if (errors || !Array.isArray(list)) throw new TypeError('A row does not serialise', { cause: errors });
    return list.map(toJsonItem);
  }

  /** Names a selection: the operation, the place in it (connections are fields of the root), what its conditions say. */
  #selectionId(info: GraphQLResolveInfo): string {
    const { serial, conditions } = this.#known(info);
    const { key, prev } = info.path;
    return `${serial}|${prev?.key}.${key}|${conditions.map((name) => info.variableValues[name]).join()}`;
  }

  #known({ operation, fragments }: GraphQLResolveInfo): KnownOperation {
    const known = this.#operations.get(operation);
    if (known) return known;
    const conditions = [operation, ...Object.values(fragments)].flatMap(conditionsIn);
    const added = { serial: ++this.#serial, conditions: [...new Set(conditions)] };
    this.#operations.set(operation, added);
    return added;
  }

  #key(selection: string, page: Page): string {
    let serial = this.#pages.get(page);
    if (serial === undefined) {
      serial = ++this.#serial;
      this.#pages.set(page, serial);
    }
    return `${serial}|${selection}`;
  }
}

/** In bytes, of an entry in the cache. */
function sizeOf(json: PageJson, key: string): number {
  const overhead = 100;
  return json.reduce((sum, row) => sum + overhead + (row?.length ?? 0), 2 * key.length);
}

function indexOf({ rank, page }: RankedVideo): number {
  return (rank - 1) % page.pageSize;
}

/** The variables that directives take: the schema has none but `@skip` and `@include`. */
function conditionsIn(definition: OperationDefinitionNode | FragmentDefinitionNode): string[] {
  const names: string[] = [];
  visit(definition, {
    Directive: ({ arguments: args = [] }) => {
      for (const { value } of args) if (value.kind === Kind.VARIABLE) names.push(value.name.value);
    },
  });
  return names;
}
