import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import {
  buildSchema,
  DangerousChangeType,
  findBreakingChanges,
  findDangerousChanges,
  type GraphQLSchema,
  getNullableType,
  isEnumType,
  isInterfaceType,
  isListType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
  printSchema,
  validate,
  validateSchema,
} from 'graphql';
import {
  createSchema,
  createSubgraphSchema,
  createSubgraphSdl,
} from '../../../src/graphql/schema/createSchema.ts';
import { EXAMPLES } from '../../../src/server/explorer/examples.ts';
import { startEmulatedApp } from '../../support/app.ts';
import { OPERATIONS } from '../../support/operations.ts';

const schema = createSchema();
const FOLDER = 'schema/operations';

/** The public contract, which clients rely on. The schema may have more, but nothing here may be missing or differ. */
const CONTRACT_SDL = `
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
`;
const CONTRACT = buildSchema(CONTRACT_SDL);

/** Describes each part of the contract that is missing in this schema, or differs. */
function findContractChanges(schema: GraphQLSchema): string[] {
  const changes = [
    ...findBreakingChanges(CONTRACT, schema),
    ...findDangerousChanges(CONTRACT, schema).filter(({ type }) => !ADDITIONS.includes(type)),
  ].map(({ description }) => description);
  // A stricter type breaks no client, but it differs from the contract.
  const stricter = findBreakingChanges(schema, CONTRACT)
    .filter(({ type }) => type.endsWith('CHANGED_KIND'))
    .map(({ description }) => description.replace(/from (.+) to (.+)\./, 'from $2 to $1.'));
  return [...new Set([...changes, ...stricter])];
}

const ADDITIONS: readonly string[] = [
  DangerousChangeType.OPTIONAL_ARG_ADDED,
  DangerousChangeType.VALUE_ADDED_TO_ENUM,
  DangerousChangeType.IMPLEMENTED_INTERFACE_ADDED,
];

describe('the schema', () => {
  it('is valid, which is not checked when the server starts', () => {
    for (const each of [schema, createSubgraphSchema()]) expect(validateSchema(each)).toEqual([]);
  });

  it('matches schema/schema.graphql (npm run schema writes it)', async () => {
    expect(`${printSchema(schema)}\n`).toBe(await readFile('schema/schema.graphql', 'utf8'));
  });

  it('keeps the public contract', () => {
    expect(findContractChanges(schema)).toEqual([]);
  });

  it.each([
    ['a field is added', 'duration: Int!', 'duration: Int! likes: Int', []],
    [
      'an optional argument is added',
      'trendingVideo(itemId: ID!)',
      'trendingVideo(itemId: ID!, fresh: Boolean)',
      [],
    ],
    ['an enum value is added', 'COMMENTS REPOSTS', 'COMMENTS REPOSTS SAVES', []],
    ['a field is removed', 'cover: URL\n', '', ['TrendingVideo.cover was removed.']],
    ['an enum value is removed', ' REPOSTS', '', ['REPOSTS was removed from enum type TrendingOrder.']],
    [
      'a field becomes nullable',
      'stale: Boolean!',
      'stale: Boolean',
      ['TrendingVideoConnection.stale changed type from Boolean! to Boolean.'],
    ],
    [
      'a field becomes non-null',
      'cover: URL\n',
      'cover: URL!\n',
      ['TrendingVideo.cover changed type from URL to URL!.'],
    ],
    [
      'a required argument is added',
      'trendingVideo(itemId: ID!)',
      'trendingVideo(itemId: ID!, region: CountryCode!)',
      ['A required arg region on Query.trendingVideo was added.'],
    ],
    [
      'a default changes',
      '= VIEWS',
      '= LIKES',
      ['Query.trendingVideos arg orderBy has changed defaultValue from VIEWS to LIKES.'],
    ],
  ])('may extend the contract but not change it: %s', (_change, before, after, changes) => {
    expect(CONTRACT_SDL).toContain(before);
    expect(findContractChanges(buildSchema(CONTRACT_SDL.replace(before, after)))).toEqual(changes);
  });

  it.each([
    ['', schema],
    [', as a subgraph', createSubgraphSchema()],
  ])('describes itself, every type, field, argument and enum value%s', (_, schema) => {
    expect(schema.description).toMatch(/^TikTok's trending charts/);
    const undescribed: string[] = [];
    const check = (name: string, { description }: { description?: string | null | undefined }): void => {
      if (!description) undescribed.push(name);
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
    expect(undescribed).toEqual([]);
  });

  it.each([
    ['', schema],
    [', as a subgraph', createSubgraphSchema()],
  ])('says where each scalar is specified%s', (_, schema) => {
    const scalars = Object.values(schema.getTypeMap()).filter(isScalarType);
    const ownScalars = scalars.filter((type) => !isSpecifiedScalarType(type));
    expect(ownScalars.length).toBeGreaterThan(4);
    for (const { name, specifiedByURL } of ownScalars)
      expect([name, specifiedByURL]).toEqual([name, expect.stringMatching(/^https:\/\/\S+$/)]);
  });

  it('lacks only the queries of gateways that the running server has', () => {
    const running = createSubgraphSchema();
    expect(findBreakingChanges(schema, running)).toEqual([]);
    const missing = findBreakingChanges(running, schema).map(({ description }) => description);
    expect(missing.sort()).toEqual([
      'Query._entities was removed.',
      'Query._service was removed.',
      '_Any was removed.',
      '_Entity was removed.',
      '_Service was removed.',
    ]);
  });

  it('has no description where it is a part of a federated graph, which would take it over', () => {
    expect(createSubgraphSdl()).not.toMatch(/schema \{/);
  });

  it('documents the maximum length of each list of ids or references', () => {
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
  it('are all among the examples of src/server/explorer', async () => {
    const documents = (await readdir(FOLDER)).filter((file) => file.endsWith('.graphql'));
    expect(documents.sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it.each(Object.entries(OPERATIONS))(
    '%s is valid and returns data after the first one',
    async (file, values) => {
      const document = await readFile(`${FOLDER}/${file}`, 'utf8');
      expect(validate(schema, parse(document))).toEqual([]);
      const app = await startEmulatedApp();
      try {
        for (const first of EXAMPLES.slice(0, 1)) await app.query(first.document, first.variables);
        const { data, errors } = await app.query(document, values);
        expect(errors).toBeUndefined();
        expect(Object.values(data ?? {}).flat()).not.toContain(null);
      } finally {
        await app.close();
      }
    },
  );
});
