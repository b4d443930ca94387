import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import {
  buildSchema,
  findBreakingChanges,
  findDangerousChanges,
  getNullableType,
  isEnumType,
  isInterfaceType,
  isListType,
  isObjectType,
  isSpecifiedScalarType,
  parse,
  printSchema,
  validate,
} from 'graphql';
import { createSchema, createSubgraphSchema } from '../../src/graphql/schema.ts';
import { startEmulatedApp } from '../support/app.ts';
import { OPERATIONS } from '../support/operations.ts';

const schema = createSchema();
const FOLDER = 'schema/operations';

/** The public contract: what others build against. Fields may be added, nothing here may change. */
const CONTRACT = buildSchema(`
  scalar CountryCode
  scalar DateTime
  scalar URL
  enum TrendingPeriod { LAST_7_DAYS LAST_30_DAYS LAST_120_DAYS }
  enum TrendingOrder { VIEWS LIKES COMMENTS REPOSTS }
  interface Node { id: ID! }
  type TrendingVideo implements Node {
    id: ID!
    itemId: ID!
    itemUrl: URL!
    title: String!
    cover: URL
    coverExpiresAt: DateTime
    duration: Int!
    region: String
    countryCode: CountryCode
    creator: Creator
  }
  type Creator { handle: String! url: URL! }
  type TrendingVideoEdge { cursor: String! node: TrendingVideo! rank: Int! }
  type TrendingVideoConnection {
    edges: [TrendingVideoEdge!]!
    nodes: [TrendingVideo!]!
    pageInfo: PageInfo!
    totalCount: Int!
    fetchedAt: DateTime!
    stale: Boolean!
  }
  type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Query {
    trendingVideos(
      region: CountryCode! = "US", period: TrendingPeriod! = LAST_7_DAYS, orderBy: TrendingOrder! = VIEWS,
      first: Int, after: String, last: Int, before: String
    ): TrendingVideoConnection
    trendingVideo(itemId: ID!): TrendingVideo
    trendingVideosByItemId(itemIds: [ID!]!): [TrendingVideo]!
    node(id: ID!): Node
    nodes(ids: [ID!]!): [Node]!
  }
`);

describe('the schema', () => {
  it('is the one in schema/schema.graphql (npm run schema writes it)', async () => {
    expect(`${printSchema(schema)}\n`).toBe(await readFile('schema/schema.graphql', 'utf8'));
  });

  it('keeps the public contract', () => {
    expect(findBreakingChanges(CONTRACT, schema)).toEqual([]);
    expect(findDangerousChanges(CONTRACT, schema)).toEqual([]);
    expect(findBreakingChanges(schema, CONTRACT)).toEqual([]);
  });

  it.each([
    ['', schema],
    [', as a subgraph', createSubgraphSchema()],
  ])('describes every type, field, argument and enum value%s', (_, schema) => {
    const bare: string[] = [];
    const check = (name: string, { description }: { description?: string | null | undefined }): void => {
      if (!description) bare.push(name);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('__') || isSpecifiedScalarType(type)) continue;
      check(type.name, type);
      if (isEnumType(type)) for (const value of type.getValues()) check(`${type.name}.${value.name}`, value);
      if (!isObjectType(type) && !isInterfaceType(type)) continue;
      for (const field of Object.values(type.getFields())) {
        check(`${type.name}.${field.name}`, field);
        for (const argument of field.args) check(`${type.name}.${field.name}(${argument.name})`, argument);
      }
    }
    expect(bare).toEqual([]);
  });

  it('says of each list of ids and references how long it may be', () => {
    const fields = Object.values(createSubgraphSchema().getQueryType()?.getFields() ?? {});
    const lists = fields.flatMap(({ args }) => args.filter(({ type }) => isListType(getNullableType(type))));
    const limits = lists.map(({ name, description }) => [
      name,
      / (\d+) at most/.exec(description ?? '')?.[1],
    ]);
    expect(limits).toEqual([
      ['itemIds', '100'],
      ['ids', '100'],
      ['representations', '1000'],
    ]);
  });
});

describe('the documents of schema/operations', () => {
  it('are all listed here', async () => {
    expect((await readdir(FOLDER)).sort()).toEqual(Object.keys(OPERATIONS));
  });

  it.each(Object.entries(OPERATIONS))('%s is valid and is answered', async (file, values) => {
    const document = await readFile(`${FOLDER}/${file}`, 'utf8');
    expect(validate(schema, parse(document))).toEqual([]);
    const app = await startEmulatedApp();
    try {
      const { data, errors } = await app.query(document, values);
      expect(errors).toBeUndefined();
      expect(Object.values(data ?? {})).not.toContain(null);
    } finally {
      await app.close();
    }
  });
});
