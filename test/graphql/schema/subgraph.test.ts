import { readFile } from 'node:fs/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { afterEach, describe, expect, it } from '@jest/globals';
import { buildASTSchema, type GraphQLSchema, parse, printType } from 'graphql';
import { createSubgraphSchema, createSubgraphSdl } from '../../../src/graphql/schema/createSchema.ts';
import { describeEachExecution, type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const subgraphSdl = createSubgraphSdl();

let app: EmulatedApp;

describeEachExecution(() => {
  afterEach(() => app?.close());

  async function readChart(): Promise<{ id: string; itemId: string; title: string }[]> {
    const { data } = await app.query<{
      trendingVideos: { nodes: { id: string; itemId: string; title: string }[] };
    }>('{ trendingVideos { nodes { id itemId title } } }');
    return data?.trendingVideos.nodes ?? [];
  }

  describe('the SDL of the subgraph', () => {
    it('is the one in schema/subgraph.graphql (npm run schema writes it)', async () => {
      expect(subgraphSdl).toBe(await readFile('schema/subgraph.graphql', 'utf8'));
    });

    it('has what others may refer to, and share', () => {
      const declarations = subgraphSdl.match(/^(type|extend) .*@.*$/gm);
      expect(declarations).toEqual([
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
        'type TrendingVideo implements Node @key(fields: "id") @key(fields: "itemId") {',
        'type Creator @shareable {',
        'type PageInfo @shareable {',
      ]);
    });

    it('is without the fields that every graph has once, and without those of the gateway', () => {
      const query = buildASTSchema(parse(subgraphSdl), { assumeValid: true }).getQueryType();
      expect(Object.keys(query?.getFields() ?? {})).toEqual([
        'trendingVideos',
        'trendingVideo',
        'trendingVideosByItemId',
      ]);
    });

    it("is what Apollo's own library takes for a subgraph, with the same fields for the gateway", () => {
      const theirs = buildSubgraphSchema({ typeDefs: parse(subgraphSdl) });
      const ours = createSubgraphSchema();
      const typeOf = (schema: GraphQLSchema, field: string) => schema.getQueryType()?.getFields()[field];
      const shape = (schema: GraphQLSchema) => {
        const entities = typeOf(schema, '_entities');
        return [
          String(entities?.type),
          entities?.args.map(({ name, type }) => `${name}: ${type}`),
          String(typeOf(schema, '_service')?.type),
          String(schema.getType('_Entity')?.toConfig().name),
        ];
      };
      expect(shape(ours)).toEqual(shape(theirs));
      expect(printType(theirs.getType('TrendingVideo') ?? fail())).toBe(
        printType(ours.getType('TrendingVideo') ?? fail()),
      );
    });
  });

  function fail(): never {
    throw new Error('no such type');
  }

  describe('_service', () => {
    it('gives the SDL, also where the schema cannot be asked for otherwise', async () => {
      app = await startEmulatedApp({}, { NODE_ENV: 'production', INTROSPECTION: 'false' });
      expect((await app.query('{ __schema { queryType { name } } }')).errors).toBeDefined();
      // Thrice: the last one is executed as a known document.
      for (const _ of [1, 2, 3]) {
        const { data, extensions } = await app.query('{ _service { sdl } }');
        expect(data).toEqual({ _service: { sdl: subgraphSdl } });
        expect(extensions.upstream.requests).toBe(0);
      }
    });
  });

  describe('_entities', () => {
    const QUERY = `query ($representations: [_Any!]!) {
    _entities(representations: $representations) { __typename ... on TrendingVideo { id itemId title } }
  }`;
    const ask = (representations: unknown) => app.query(QUERY, { representations });

    it('gives what references refer to by either key, in order, null where one is unknown, at no cost', async () => {
      app = await startEmulatedApp();
      const [first, second] = await readChart();
      const { data, errors, extensions } = await ask([
        { __typename: 'TrendingVideo', itemId: second?.itemId },
        { __typename: 'TrendingVideo', itemId: '123' },
        { __typename: 'TrendingVideo', id: first?.id },
        { __typename: 'TrendingVideo', id: 'none of ours' },
        { __typename: 'TrendingVideo', itemId: second?.itemId, id: second?.id },
      ]);
      const entity = (video: object | undefined) => ({ __typename: 'TrendingVideo', ...video });
      expect(errors).toBeUndefined();
      expect(data).toEqual({ _entities: [entity(second), null, entity(first), null, entity(second)] });
      expect(extensions.upstream).toMatchObject({
        requests: 0,
        credits: 0,
        pages: { cached: 1, fetched: 0 },
      });
    });

    it('takes more references than a client may send ids: a gateway does not ask how many', async () => {
      app = await startEmulatedApp();
      const videos = await readChart();
      const many = Array.from({ length: 500 }, (_, index) => videos[index % 20]);
      const { data, errors } = await ask(
        many.map((video) => ({ __typename: 'TrendingVideo', itemId: video?.itemId })),
      );
      expect(errors).toBeUndefined();
      expect(data).toEqual({ _entities: many.map((video) => ({ __typename: 'TrendingVideo', ...video })) });
    });

    it('refuses more than 1000 references, whatever they are', async () => {
      app = await startEmulatedApp();
      for (const reference of [{ __typename: 'TrendingVideo', itemId: '1' }, 1]) {
        const { data, errors } = await ask(Array(1001).fill(reference));
        expect(data).toBeUndefined();
        expect(errors).toMatchObject([
          { message: 'Argument "representations": expected at most 1000 ids, but got: 1001' },
        ]);
      }
    });

    it.each([
      ['another type', { __typename: 'Creator', handle: 'someone' }],
      ['no type', { itemId: '1' }],
      ['no key', { __typename: 'TrendingVideo', title: 'x' }],
      ['a number for a text', { __typename: 'TrendingVideo', itemId: 7310871003254096 }],
      ['a text', 'TrendingVideo'],
      ['a list', []],
    ])(
      'says what is wrong with a reference that has %s, and goes on with the others',
      async (_, reference) => {
        app = await startEmulatedApp();
        const [first] = await readChart();
        const { data, errors } = await ask([
          reference,
          { __typename: 'TrendingVideo', itemId: first?.itemId },
        ]);
        expect(data).toEqual({ _entities: [null, { __typename: 'TrendingVideo', ...first }] });
        expect(errors).toMatchObject([
          {
            message: expect.stringMatching(
              /^Argument "representations": expected a TrendingVideo with its "itemId" or "id" as a string, but got: "/,
            ),
            path: ['_entities', 0],
            extensions: { code: 'BAD_USER_INPUT', retryable: false },
          },
        ]);
      },
    );
  });

  it('names a reference of any depth in an error', async () => {
    app = await startEmulatedApp();
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const response = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      headers: { 'content-type': 'application/json' },
      payload: `{"query":"query ($of: [_Any!]!) { _entities(representations: $of) { __typename } }","variables":{"of":[${deep}]}}`,
    });
    expect(response.json()).toMatchObject({
      data: { _entities: [null] },
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  describe('SUBGRAPH=false', () => {
    it('leaves neither', async () => {
      app = await startEmulatedApp({}, { SUBGRAPH: 'false' });
      for (const query of ['{ _service { sdl } }', '{ _entities(representations: []) { __typename } }']) {
        const { errors } = await app.query(query);
        expect(errors).toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
      }
      const { data } = await app.query<{ __schema: { types: { name: string }[] } }>(
        '{ __schema { types { name } } }',
      );
      const names = data?.__schema.types.map(({ name }) => name) ?? [];
      expect(names).toContain('TrendingVideo');
      expect(names.filter((name) => /^_[A-Z]/.test(name))).toEqual([]);
    });
  });
});
