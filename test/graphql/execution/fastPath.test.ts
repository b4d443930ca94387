import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { extendSchema, GraphQLObjectType, type GraphQLSchema, parse } from 'graphql';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import type { OperationHistory } from '../../../src/data/history/operationHistory.ts';
import type { OperationStats } from '../../../src/data/stats/operationStats.ts';
import type { ChartReader } from '../../../src/data/windows/chartReader.ts';
import type { ChartWindow } from '../../../src/data/windows/cutInSteps.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { TrendingVideo } from '../../../src/domain/trendingVideo.ts';
import { createUpstreamCost } from '../../../src/domain/upstreamCost.ts';
import { DocumentCache } from '../../../src/graphql/execution/documentCache.ts';
import { createDocumentInspector } from '../../../src/graphql/execution/documentInspector.ts';
import { createFastPath, type FastPath } from '../../../src/graphql/execution/fastPath.ts';
import { createFormatError } from '../../../src/graphql/execution/formatError.ts';
import { type FormattedResult, toMembers } from '../../../src/graphql/execution/resultJson.ts';
import { createSchema } from '../../../src/graphql/schema/createSchema.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { makePage, makeVideos } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';

/** Documents with the different ways to write a selection; their variables are drawn at random. */
const DOCUMENTS = [
  '{ trendingVideos { edges { rank cursor node { id itemId itemUrl title cover coverExpiresAt duration region countryCode creator { handle url } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount fetchedAt stale } }',
  'query ($region: CountryCode!, $period: TrendingPeriod! = LAST_30_DAYS, $orderBy: TrendingOrder!) { trendingVideos(region: $region, period: $period, orderBy: $orderBy, first: 3) { nodes { id title } } }',
  'query ($first: Int, $last: Int, $after: String, $before: String) { trendingVideos(first: $first, last: $last, after: $after, before: $before) { edges { rank cursor node { itemId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }',
  'query ($yes: Boolean!) { trendingVideos(first: 25) { nodes @include(if: $yes) { id } edges @skip(if: $yes) { rank } e: edges { cursor @include(if: $yes) rank @skip(if: $yes) __typename } } }',
  'query ($yes: Boolean = true) { t: trendingVideos(first: 2) @include(if: $yes) { totalCount } t: trendingVideos(first: 2) { nodes { title } } }',
  '{ a: trendingVideos(first: 2) { ...C } b: trendingVideos(region: "GB", last: 2) { ...C ... on TrendingVideoConnection { n: nodes { ... on Node { id __typename } } } } } fragment C on TrendingVideoConnection { edges { ...E node { duration } } } fragment E on TrendingVideoEdge { node { ...V } } fragment V on TrendingVideo { title creator { url } }',
  'query A($first: Int!) { trendingVideos(first: $first) { nodes { id } } } query B { __typename trendingVideos { __typename } }',
  '{ __typename __schema { queryType { name fields { name } } } __type(name: "TrendingVideoConnection") { fields { name type { kind } } } trendingVideos(first: 1) { nodes { id } } }',
  '{ __proto__: trendingVideos(first: 1) { pageInfo { __proto__: hasNextPage a: hasPreviousPage } __proto__: totalCount edges { __proto__: rank } } }',
  '{ b: trendingVideos { a: edges { rank } } a_b: trendingVideos { totalCount } }',
  '{ trendingVideos(first: 0) { nodes { id } edges { rank } totalCount } }',
  'query ($unused: Int) { trendingVideos(region: "ZZ") { totalCount } }',
  'query ($after: ID = "1", $first: ID!) { trendingVideo(itemId: $after) { title } t: trendingVideo(itemId: $first) { id } trendingVideos(first: 1) { nodes { id } } trendingVideosByItemId(itemIds: ["1", "7310871003254096742"]) { title region } }',
  'query ($after: ID = "1") { node(id: $after) { __typename id } nodes(ids: ["VHJlbmRpbmdWaWRlbzo3MzEwODcxMDAzMjU0MDk2NzQy", "x"]) { ... on TrendingVideo { title } } }',
  '{ a: trendingVideos(region: "ZZ") { ...C } b: trendingVideos(first: 1) { ...C } a: trendingVideos(region: "ZZ") { stale } c: trendingVideos(first: 101) { ...C } } fragment C on TrendingVideoConnection { totalCount nodes { id } }',
  'query ($days: Int! = 3, $yes: Boolean = true) { trendingVideos(first: 3) { comparedWith { takenAt knownRanks } edges { rank previousRank movement history(days: $days) { date rank } one: history(days: 1) @include(if: $yes) { date } ...E } } } fragment E on TrendingVideoEdge { week: history { __typename rank } }',
  'query ($region: CountryCode = "US", $period: TrendingPeriod = LAST_7_DAYS) { a: trendingVideos(first: 1, region: $region) { nodes { id } } b: trendingVideos(first: 1, period: $period) { nodes { id } } }',
];

const size = fc.oneof(
  fc.integer({ min: -2, max: 102 }),
  fc.constantFrom(null, 1.5, '5', 2 ** 31, 2 ** 64, true, [3]),
);
const cursor = fc.constantFrom(
  null,
  '',
  'x',
  5,
  'MXxVUzo3OlZJRVdTfDJ8NzMxMDg3MTAwMzI1NDA5Njc0Mg',
  'MXxVUzo3OlZJRVdTfDI0MHw',
  'MXxHQjo3OlZJRVdTfDJ8',
);
const variables = fc.record(
  {
    region: fc.constantFrom('US', 'us', 'ZZ', '', null, 5, 'USA'),
    period: fc.constantFrom('LAST_7_DAYS', 'LAST_30_DAYS', 'LAST', 7, null),
    orderBy: fc.constantFrom('VIEWS', 'LIKES', 'views', null),
    first: size,
    last: size,
    after: cursor,
    before: cursor,
    days: fc.constantFrom(1, 7, 90, 0, 91, -1, null, '3', 1.5),
    yes: fc.constantFrom(true, false, null, 'true', 0),
    other: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const operationName = fc.constantFrom(undefined, undefined, undefined, null, 'A', 'B', 'C', '');

describe('an operation whose document was sent before', () => {
  let app: EmulatedApp;

  beforeEach(async () => {
    app = await startEmulatedApp(
      {},
      { RESPONSE_CACHE: 'false', KEYAPI_QPS: '10000', MAX_CREDITS_PER_OPERATION: '30' },
    );
  });
  afterEach(() => app.close());

  /** Sends a request by GET, which Apollo Server always executes. */
  async function sendToApollo(body: Record<string, unknown>) {
    const query = Object.entries(body).flatMap(([name, value]) =>
      value === undefined || value === null
        ? []
        : [[name, name === 'variables' ? JSON.stringify(value) : String(value)]],
    );
    const headers = { 'apollo-require-preflight': '1' };
    return app.server.inject({ url: '/graphql', query: Object.fromEntries(query), headers });
  }

  it('gets the same response as from Apollo Server, however often it is sent', async () => {
    const post = (payload: object) => app.server.inject({ method: 'POST', url: '/graphql', payload });
    const comparable = (response: Awaited<ReturnType<typeof post>>) => {
      const { data, errors } = response.json();
      return [response.statusCode, response.headers['content-type'], data, errors];
    };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...DOCUMENTS),
        variables,
        operationName,
        async (query, values, name) => {
          const body = { query, variables: values, operationName: name };
          // The first one buys the pages that the others then find in the cache.
          await post(body);
          const expected = comparable(await sendToApollo(body));
          for (let time = 0; time < 4; time++) expect(comparable(await post(body))).toEqual(expected);
        },
      ),
      { numRuns: 150, seed: 7 },
    );
    app.claimedElsewhere = app.bill.length;
  }, 120_000);

  it('has the media type that Apollo Server chooses', async () => {
    const types = [
      'application/json',
      'application/graphql-response+json',
      'application/json;callbackSpec=1.0',
      'application/*;q=0.1',
      'text/html',
      '*/*;q=0.2',
      'a/b',
      'application/json;q=0',
      '',
      ',;=',
    ];
    const payload = { query: '{ __typename }' };
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(types), async (accepted) => {
        const headers = { accept: accepted.join(', ') };
        const post = await app.server.inject({ method: 'POST', url: '/graphql', payload, headers });
        const get = await app.server.inject({
          url: '/graphql',
          query: payload,
          headers: { ...headers, 'apollo-require-preflight': '1' },
        });
        if (`${get.headers['content-type']}`.startsWith('text/html')) return;
        expect([post.statusCode, post.headers['content-type'], post.body]).toEqual([
          get.statusCode,
          get.headers['content-type'],
          get.body,
        ]);
      }),
    );
  });

  it('pays only for the fields that its conditions include', async () => {
    const query =
      'query ($yes: Boolean!) { trendingVideos(first: 100, region: "FR") { totalCount edges @include(if: $yes) { rank } } }';
    await app.query(query, { yes: false });
    for (let time = 0; time < 5; time++) await app.query(query, { yes: false });
    expect(app.bill).toHaveLength(1);
    expect((await app.query(query, { yes: true })).extensions.upstream.requests).toBe(4);
  });

  it.each([
    'trendingVideos(first: 2) { nodes @include(if: $a) { id } nodes @include(if: $b) { duration } }',
    'trendingVideos(first: 2) @include(if: $a) { nodes { id } } trendingVideos(first: 2) @include(if: $b) { nodes { duration } }',
    'trendingVideos(first: 2) { ... @include(if: $a) { nodes { id } } ... @include(if: $b) { nodes { duration } } }',
    'trendingVideos(first: 2) { nodes { id @include(if: $a) duration @skip(if: $b) } }',
  ])('has what its conditions include now, whatever they included before: %s', async (selection) => {
    const query = `query ($a: Boolean!, $b: Boolean!) { ${selection} }`;
    for (const [a, b] of [
      ...Array<[boolean, boolean]>(5).fill([true, false]),
      [false, true],
      [true, true],
      [false, false],
      [true, false],
    ] as const) {
      const body = { query, variables: { a, b } };
      const { data, errors } = (await sendToApollo(body)).json();
      expect((await app.query(query, body.variables)).data).toEqual(data);
      expect(errors).toBeUndefined();
    }
    app.claimedElsewhere = app.bill.length;
  });

  it('is not expanded to a large one by nested fragment spreads', async () => {
    const fragments = Array.from({ length: 40 }, (_, index) => {
      const next = index < 39 ? `...F${index + 1} ...F${index + 1}` : '';
      return `fragment F${index} on TrendingVideoConnection { __typename ${next} }`;
    });
    const query = `{ trendingVideos { ...F0 } } ${fragments.join(' ')}`;
    for (let time = 0; time < 6; time++) {
      expect(await app.query(query)).toMatchObject({
        data: { trendingVideos: { __typename: 'TrendingVideoConnection' } },
      });
    }
  });

  it('is refused when its variables make it too expensive, even if it was executed with others before', async () => {
    const query =
      'query ($n: Int) { a: trendingVideos(first: $n) { nodes { id } } b: trendingVideos(region: "GB", first: $n) { nodes { id } } c: trendingVideos(region: "DE", first: $n) { nodes { id } } d: trendingVideos(region: "FR", first: $n) { nodes { id } } }';
    for (let time = 0; time < 5; time++) expect((await app.query(query, { n: 1 })).errors).toBeUndefined();
    const { errors } = await app.query(query, { n: 100 });
    expect(errors?.[0]?.extensions.code).toBe('OPERATION_TOO_EXPENSIVE');
  });
});

describe('createFastPath', () => {
  const schema = createSchema();
  const { documentLimits: limits } = loadConfig({});
  const QUERY = '{ trendingVideos { nodes { itemId duration } } }';
  const page = makePage(makeVideos(1, 20), 1, 20);
  let documents: DocumentCache;
  let unexpected: unknown[];
  let run: FastPath;
  let rows: ChartWindow['videos'];

  const context = () => ({
    cost: createUpstreamCost(),
    operation: { name: undefined, type: undefined },
    charts: {
      readWindow: async () => ({ ranks: { first: 1, last: 20 }, videos: rows, facts: undefined }),
    } as unknown as ChartReader,
    stats: {} as OperationStats,
    history: {} as OperationHistory,
    rowErrors: [],
  });

  function create(executable: GraphQLSchema, rowBytes: number, prepareFrom: number): FastPath {
    return createFastPath({
      schema: executable,
      documents,
      maxCreditsPerOperation: 60,
      maxCoercionErrors: 2,
      rowBytes,
      prepareFrom,
      formatError: createFormatError({
        hints: true,
        limits,
        onUnexpected: (error) => void unexpected.push(error),
      }),
    });
  }

  beforeEach(async () => {
    documents = new DocumentCache(1_000_000);
    await documents.set('key', parse(QUERY));
    unexpected = [];
    run = create(schema, 100_000, 2);
    rows = page.rows.flatMap((video, index) => (video ? [{ rank: index + 1, video, page }] : []));
  });

  const toJson = (result: FormattedResult | undefined) =>
    result && JSON.parse(Buffer.from(`{${toMembers(result)}}`, 'latin1').toString());
  const ask = async (body: unknown = { query: QUERY }) => toJson(await run(body, context()));

  it('leaves a request to Apollo Server unless it is plainly an operation of a cached document', async () => {
    for (const body of [
      undefined,
      null,
      [],
      [{ query: QUERY }],
      {},
      { query: 5 },
      { query: `${QUERY} ` },
      { query: QUERY, variables: [] },
      { query: QUERY, variables: '{}' },
      { query: QUERY, operationName: 5 },
      { query: QUERY, operationName: 'Other' },
      { query: QUERY, extensions: {} },
    ]) {
      expect([body, await run(body, context())]).toEqual([body, undefined]);
    }
    expect(await ask({ query: QUERY, variables: null, operationName: null, extensions: null })).toBeDefined();
  });

  it('assembles the JSON of a window from the JSON of its pages, without rows outside the window', async () => {
    await ask();
    const all = rows;
    for (const window of [
      all,
      all.slice(3, 7),
      [],
      [...all.slice(0, 2), ...all.slice(5, 6), ...all.slice(19)],
    ]) {
      rows = window;
      const nodes = window.map(({ video: { itemId, duration } }) => ({ itemId, duration }));
      expect(await ask()).toEqual({ data: { trendingVideos: { nodes } } });
    }
  });

  it('reports an unexpected error when a row cannot be serialised', async () => {
    const odd = {
      ...page,
      rows: page.rows.map((video, index) => video && { ...video, duration: index === 4 ? 1.5 : 1 }),
    };
    rows = odd.rows.flatMap((video, index) => (video ? [{ rank: index + 1, video, page: odd }] : []));
    for (let time = 0; time < 4; time++) {
      expect(await ask()).toEqual({
        errors: [
          {
            message: 'Internal server error',
            locations: [expect.any(Object)],
            path: expect.arrayContaining(['trendingVideos', 'nodes']),
            extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
          },
        ],
        data: { trendingVideos: null },
      });
      expect(unexpected).toHaveLength(time + 1);
    }
  });

  it('reads a failing window once, and reports its error', async () => {
    for (let time = 1; time < 4; time++) {
      let reads = 0;
      const failing = context();
      const readWindow = async () => {
        reads++;
        throw new ApiError('UPSTREAM_TIMEOUT');
      };
      const result = await run({ query: QUERY }, { ...failing, charts: { ...failing.charts, readWindow } });
      expect(toJson(result)).toMatchObject({
        errors: [
          {
            path: ['trendingVideos'],
            locations: [{ line: 1, column: 3 }],
            extensions: { code: 'UPSTREAM_TIMEOUT' },
          },
        ],
        data: { trendingVideos: null },
      });
      expect(reads).toBe(1);
    }
  });

  it('reports a value that is null against its type as unexpected, and a null argument as a bad request', async () => {
    const facts = '{ trendingVideos { totalCount } }';
    const argument =
      'query ($region: CountryCode = "US") { trendingVideos(region: $region) { nodes { itemId } } }';
    await documents.set('facts', parse(facts));
    await documents.set('argument', parse(argument));
    for (let time = 1; time < 4; time++) {
      expect(await ask({ query: facts })).toMatchObject({
        errors: [{ path: ['trendingVideos', 'totalCount'], extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
        data: { trendingVideos: null },
      });
      expect(unexpected).toMatchObject([
        { message: 'Cannot return null for non-nullable field TrendingVideoConnection.totalCount.' },
      ]);
      unexpected = [];
      expect(await ask({ query: argument, variables: { region: null } })).toEqual({
        errors: [
          {
            message: 'Argument "region" of non-null type "CountryCode!" must not be null.',
            locations: [{ line: 1, column: argument.indexOf('$region)') + 1 }],
            path: ['trendingVideos'],
            extensions: { code: 'BAD_USER_INPUT', retryable: false },
          },
        ],
        data: { trendingVideos: null },
      });
      expect(unexpected).toEqual([]);
    }
  });

  it('reports variables that cannot be coerced, up to the limit, without data', async () => {
    const query = `query ($a: Int, $b: Int, $c: Int, $d: Int) {
      trendingVideos(first: $a) { nodes { itemId } } b: trendingVideos(first: $b) { nodes { itemId } }
      c: trendingVideos(first: $c) { nodes { itemId } } d: trendingVideos(first: $d) { nodes { itemId } }
    }`;
    await documents.set('variables', parse(query));
    for (let time = 1; time < 4; time++) {
      const { errors, ...others } = await ask({ query, variables: { a: 'x', b: 'x', c: 'x', d: 'x' } });
      expect(errors).toHaveLength(3);
      expect(errors[0]).toEqual({
        message: 'Variable "$a" got invalid value "x"; Int cannot represent non-integer value: "x"',
        locations: [{ line: 1, column: 8 }],
        extensions: { code: 'BAD_USER_INPUT', retryable: false },
      });
      expect(others).toEqual({});
    }
  });

  it('resolves fields of rows that have a resolver of their own for each operation', async () => {
    const extended = extendSchema(
      schema,
      parse(
        'extend type TrendingVideo { titleTimes(count: Int!): String! } extend type Creator { now: Int! }',
      ),
    );
    let time = 0;
    define(extended, 'TrendingVideo', 'titleTimes', async ({ title }, { count }) => title.repeat(count));
    define(extended, 'Creator', 'now', () => time);
    run = create(extended, 100_000, 1);
    const repeated = 'query ($count: Int!) { trendingVideos { nodes { titleTimes(count: $count) } } }';
    const timed =
      '{ trendingVideos { edges { node { ...V } } } } fragment V on TrendingVideo { creator { now } }';
    await documents.set('repeated', parse(repeated));
    await documents.set('timed', parse(timed));
    const [{ video }] = rows as [ChartWindow['videos'][number]];
    for (time = 1; time < 4; time++) {
      const { data, errors } = await ask({ query: repeated, variables: { count: time } });
      expect(errors).toBeUndefined();
      expect(data.trendingVideos.nodes[0]).toEqual({ titleTimes: video.title.repeat(time) });
      const { edges } = (await ask({ query: timed })).data.trendingVideos;
      expect(edges[0]).toEqual({ node: { creator: video.creator && { now: time } } });
    }
    expect(unexpected).toEqual([]);
  });

  it('gives the same result when the JSON of rows does not fit into its cache', async () => {
    run = create(schema, 1, 1);
    for (let time = 0; time < 3; time++) expect((await ask()).data.trendingVideos.nodes).toHaveLength(20);
  });
});

describe('createDocumentInspector', () => {
  const inspect = createDocumentInspector(createSchema());
  const inspectText = (text: string) => inspect(parse(text));

  it('finds lookups and charts at the root alone, in fragments too', () => {
    expect(inspectText('{ trendingVideos { edges { node { id } } nodes { id } } }')).toMatchObject({
      charts: 1,
      hasLookups: false,
      fitsRowSchema: true,
    });
    const lookups = ['node(id: "1") { id }', 'nodes(ids: []) { id }', 'trendingVideo(itemId: "1") { id }'];
    for (const lookup of lookups) expect(inspectText(`{ a: ${lookup} }`).hasLookups).toBe(true);
    expect(
      inspectText(
        '{ ...F ... on Query { b: trendingVideos { stale } } } fragment F on Query { a: trendingVideos { stale } node(id: "1") { id } }',
      ),
    ).toMatchObject({ charts: 2, hasLookups: true, fitsRowSchema: true });
  });

  it('finds that rows with what moved fit, arguments included', async () => {
    const text = await readFile('schema/operations/whatMoved.graphql', 'utf8');
    expect(inspectText(text).fitsRowSchema).toBe(true);
  });

  it('finds the variables of conditions', () => {
    expect(
      inspectText(
        'query ($a: Boolean!, $b: Boolean!, $c: Int) { trendingVideos(first: $c) @skip(if: $a) { ...F } } fragment F on TrendingVideoConnection { nodes @include(if: $b) { id @skip(if: true) } }',
      ).conditions,
    ).toEqual(['a', 'b']);
  });

  it('finds introspection, which the row schema must not show', () => {
    for (const text of [
      '{ __schema { queryType { name } } }',
      '{ ...F } fragment F on Query { __type(name: "X") { name } }',
    ]) {
      expect(inspectText(text)).toMatchObject({ charts: 0, hasLookups: false, fitsRowSchema: false });
    }
    expect(inspectText('{ __typename trendingVideos { nodes { __typename } } }').fitsRowSchema).toBe(true);
  });
});

/** Gives a field a resolver. */
function define(
  schema: GraphQLSchema,
  typeName: string,
  fieldName: string,
  resolve: (source: TrendingVideo, args: { count: number }) => unknown,
): void {
  const type = schema.getType(typeName);
  const field = type instanceof GraphQLObjectType ? type.getFields()[fieldName] : undefined;
  if (!field) throw new TypeError(`no field ${typeName}.${fieldName}`);
  field.resolve = resolve;
}

describe('DocumentCache', () => {
  it('finds a document by its text and by its key until it is evicted', async () => {
    const documents = new DocumentCache(100_000);
    const texts = Array.from({ length: 20 }, (_, index) => `{ field${index} { one two three } }`);
    for (const [index, text] of texts.entries()) {
      await documents.set(`key${index}`, parse(text));
      expect(documents.find(texts[0] ?? '')).toBeDefined();
    }
    const found = texts.filter((text) => documents.find(text));
    expect(found.length).toBeGreaterThan(2);
    expect(found.length).toBeLessThan(7);
    expect(found).toContain(texts[0]);
    expect(found).toContain(texts[19]);
    expect(await documents.get('key0')).toBe(documents.find(texts[0] ?? ''));
    expect(await documents.get('key1')).toBeUndefined();
    await documents.delete('key0');
    expect(documents.find(texts[0] ?? '')).toBeUndefined();
  });

  it('counts what is compiled for each operation of a document', async () => {
    const documents = new DocumentCache(100_000);
    const operations = ['A', 'B', 'C', 'D', 'E', 'F'].map((name) => `query ${name} { field }`);
    for (const count of [1, 6]) await documents.set(`${count}`, parse(operations.slice(0, count).join(' ')));
    expect(await documents.get('1')).toBeDefined();
    expect(await documents.get('6')).toBeUndefined();
  });

  it('does not cache a document that is larger than the cache', async () => {
    const documents = new DocumentCache(1000);
    await documents.set('key', parse('{ field }'));
    expect(documents.find('{ field }')).toBeUndefined();
  });
});
