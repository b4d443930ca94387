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
import { JsonText } from './jsonText.ts';

/** A row does not serialise, which the mapper rules out. */
export class RowError extends Error {
  override readonly name = 'RowError';
}

/** One selection's JSON of a page's rows; empty where none was made yet. */
type PageTexts = readonly (string | undefined)[];

/** What it takes to name the selections of an operation. */
interface KnownOperation {
  readonly serial: number;
  /** Variables that say which fields are selected. */
  readonly conditions: readonly string[];
}

/**
 * The JSON of rows, as selections of known documents have them: made once for each row of a page that is held, by
 * graphql-js, and joined for every window that the row stands in. Bounded; least recently used first out.
 */
export class RowTexts {
  readonly #schema: GraphQLSchema;
  readonly #texts: LRUCache<string, PageTexts>;
  readonly #operations = new WeakMap<OperationDefinitionNode, KnownOperation>();
  readonly #pages = new WeakMap<Page, number>();
  #serial = 0;

  /**
   * @param connectionType The type whose list fields are written.
   * @param maxBytes Room for the texts.
   */
  constructor(connectionType: GraphQLObjectType, maxBytes: number) {
    // The connection is the root here: a selection on it can be executed alone.
    this.#schema = new GraphQLSchema({ query: connectionType });
    this.#texts = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: (texts, key) =>
        2 * key.length + texts.reduce((sum, text) => sum + 20 + 2 * (text?.length ?? 0), 0),
    });
  }

  /**
   * The JSON of a connection's rows.
   *
   * @param info Of the list field that is resolved.
   * @throws {RowError}
   */
  write(connection: WindowConnection, info: GraphQLResolveInfo): JsonText {
    const { rows } = connection;
    const selection = this.#selectionId(info);
    const texts = this.#find(selection, rows);
    const missing = rows.filter((_, index) => texts[index] === undefined);
    if (missing.length === 0) return new JsonText(`[${texts.join(',')}]`);
    const made = this.#make(connection, missing, info);
    this.#keep(selection, missing, made);
    let next = 0;
    return new JsonText(`[${texts.map((text) => text ?? made[next++]).join(',')}]`);
  }

  #find(selection: string, rows: readonly RankedVideo[]): (string | undefined)[] {
    let page: Page | undefined;
    let texts: PageTexts | undefined;
    return rows.map((row) => {
      if (row.page !== page) {
        page = row.page;
        texts = this.#texts.get(this.#key(selection, page));
      }
      return texts?.[indexOf(row)];
    });
  }

  #keep(selection: string, rows: readonly RankedVideo[], made: readonly string[]): void {
    const added = new Map<Page, (string | undefined)[]>();
    for (const [index, row] of rows.entries()) {
      const texts = added.get(row.page) ?? [...(this.#texts.get(this.#key(selection, row.page)) ?? [])];
      texts[indexOf(row)] = made[index];
      added.set(row.page, texts);
    }
    for (const [page, texts] of added) this.#texts.set(this.#key(selection, page), texts);
  }

  /** Executes the list field on these rows alone. */
  #make(connection: WindowConnection, rows: readonly RankedVideo[], info: GraphQLResolveInfo): string[] {
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
      rootValue: connection.only(rows),
      variableValues,
    });
    const list: unknown = data?.[path.key];
    if (errors || !Array.isArray(list)) throw new RowError();
    return list.map((row) => JSON.stringify(row));
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
