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
    it('matches schema/subgraph.graphql (npm run schema writes it)', async () => {
      expect(subgraphSdl).toBe(await readFile('schema/subgraph.graphql', 'utf8'));
    });

    it('declares the keys of entities and the types that subgraphs may share', () => {
      const declarations = subgraphSdl.match(/^(type|extend) .*@.*$/gm);
      expect(declarations).toEqual([
        'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])',
        'type TrendingVideo implements Node @key(fields: "id") @key(fields: "itemId") {',
        'type Creator @shareable {',
        'type PageInfo @shareable {',
      ]);
    });

    it('leaves out node and nodes, which only one subgraph may have, and the fields for the gateway', () => {
      const query = buildASTSchema(parse(subgraphSdl), { assumeValid: true }).getQueryType();
      expect(Object.keys(query?.getFields() ?? {})).toEqual([
        'trendingVideos',
        'trendingVideo',
        'trendingVideosByItemId',
      ]);
    });

    it("is accepted by Apollo's own library, which adds the same fields for the gateway", () => {
      const apolloSchema = buildSubgraphSchema({ typeDefs: parse(subgraphSdl) });
      const ownSchema = createSubgraphSchema();
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
      expect(shape(ownSchema)).toEqual(shape(apolloSchema));
      expect(printType(apolloSchema.getType('TrendingVideo') ?? fail())).toBe(
        printType(ownSchema.getType('TrendingVideo') ?? fail()),
      );
    });
  });

  function fail(): never {
    throw new Error('no such type');
  }

  describe('_service', () => {
    it('returns the SDL, even where introspection is not allowed', async () => {
      app = await startEmulatedApp({}, { NODE_ENV: 'production', INTROSPECTION: 'false' });
      expect((await app.query('{ __schema { queryType { name } } }')).errors).toBeDefined();
      // Repeated, so that the fast path executes it too.
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

    it('returns the entities of references by either key, in order, null for unknown ones, at no cost', async () => {
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

    it('accepts a number that JavaScript can hold as a key', async () => {
      app = await startEmulatedApp();
      await readChart();
      const { data, errors } = await ask([
        { __typename: 'TrendingVideo', itemId: Number.MAX_SAFE_INTEGER },
        { __typename: 'TrendingVideo', id: -1 },
        { __typename: 'TrendingVideo', itemId: null, id: 1e3 },
      ]);
      expect(errors).toBeUndefined();
      expect(data).toEqual({ _entities: [null, null, null] });
    });

    it('reads a number beyond 2^53 in the document without losing digits', async () => {
      app = await startEmulatedApp();
      const [first] = await readChart();
      const { data, errors } = await app.query(
        `{ _entities(representations: { __typename: "TrendingVideo", itemId: ${first?.itemId} }) { __typename } }`,
      );
      expect(errors).toBeUndefined();
      expect(data).toEqual({ _entities: [{ __typename: 'TrendingVideo' }] });
    });

    it('reads variables inside references that the document contains', async () => {
      app = await startEmulatedApp();
      const [first, second] = await readChart();
      const { data, errors } = await app.query(
        `query ($itemId: ID!, $id: ID!) {
          _entities(representations: [
            { __typename: "TrendingVideo", itemId: $itemId }
            { __typename: "TrendingVideo", id: $id, more: [{ id: $id }] }
          ]) { ... on TrendingVideo { itemId } }
        }`,
        { itemId: first?.itemId, id: second?.id },
      );
      expect(errors).toBeUndefined();
      expect(data).toEqual({ _entities: [{ itemId: first?.itemId }, { itemId: second?.itemId }] });
    });

    it('accepts more references than a client may send ids, because a gateway does not limit them', async () => {
      app = await startEmulatedApp();
      const videos = await readChart();
      const references = Array.from({ length: 500 }, (_, index) => videos[index % 20]);
      const { data, errors } = await ask(
        references.map((video) => ({ __typename: 'TrendingVideo', itemId: video?.itemId })),
      );
      expect(errors).toBeUndefined();
      expect(data).toEqual({
        _entities: references.map((video) => ({ __typename: 'TrendingVideo', ...video })),
      });
    });

    it('refuses more than 1000 references, valid or not', async () => {
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
      [
        'a number that has lost digits',
        { __typename: 'TrendingVideo', itemId: Number('7310871003254096742') },
      ],
      ['a global id that has lost digits', { __typename: 'TrendingVideo', id: 2 ** 53 }],
      ['a fraction', { __typename: 'TrendingVideo', itemId: 1.5 }],
      ['two keys, one of which is no id', { __typename: 'TrendingVideo', itemId: 2 ** 60, id: 'x' }],
      ['a string', 'TrendingVideo'],
      ['a list', []],
    ])('reports an invalid reference (%s), and resolves the others', async (_, reference) => {
      app = await startEmulatedApp();
      const [first] = await readChart();
      const { data, errors } = await ask([reference, { __typename: 'TrendingVideo', itemId: first?.itemId }]);
      expect(data).toEqual({ _entities: [null, { __typename: 'TrendingVideo', ...first }] });
      expect(errors).toMatchObject([
        {
          message: expect.stringMatching(
            /^Argument "representations": expected a TrendingVideo with a string "itemId" or "id" \(a number beyond 2\^53 - 1 has lost digits\), but got: /,
          ),
          path: ['_entities', 0],
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ]);
    });

    it('shows an invalid reference as JSON, cut off after 80 characters', async () => {
      app = await startEmulatedApp();
      const messageOf = async (reference: unknown) => (await ask([reference])).errors?.[0]?.message;
      expect(await messageOf({ __typename: 'TrendingVideo', itemId: true })).toMatch(
        /, but got: \{"__typename":"TrendingVideo","itemId":true\}$/,
      );
      expect(await messageOf({ __typename: 'TrendingVideo', names: ['x'.repeat(1000)] })).toMatch(
        /, but got: \{"__typename":"TrendingVideo","names":\["x{40}…$/,
      );
    });

    it('reports each invalid reference at its place in the list', async () => {
      app = await startEmulatedApp();
      const [first] = await readChart();
      const valid = { __typename: 'TrendingVideo', itemId: first?.itemId };
      const { data, errors } = await ask([valid, 'x', valid, 'y']);
      const entity = { __typename: 'TrendingVideo', ...first };
      expect(data).toEqual({ _entities: [entity, null, entity, null] });
      expect(errors?.map(({ path }) => path)).toEqual([
        ['_entities', 1],
        ['_entities', 3],
      ]);
    });
  });

  it('reports an invalid reference of any depth', async () => {
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
    it('removes both fields and their types', async () => {
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
