import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execute, parse } from 'graphql';
import type { ChartReader } from '../../../src/data/windows/chartReader.ts';
import type { ChartWindow } from '../../../src/data/windows/cutInSteps.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { createUpstreamCost } from '../../../src/domain/upstreamCost.ts';
import { DocumentCache } from '../../../src/graphql/execution/documentCache.ts';
import { createFastPath, type FastPath } from '../../../src/graphql/execution/fastPath.ts';
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

  it('pays only for the fields that its conditions include', async () => {
    const query =
      'query ($yes: Boolean!) { trendingVideos(first: 100, region: "FR") { totalCount edges @include(if: $yes) { rank } } }';
    await app.query(query, { yes: false });
    for (let time = 0; time < 5; time++) await app.query(query, { yes: false });
    expect(app.bill).toHaveLength(1);
    expect((await app.query(query, { yes: true })).extensions.upstream.requests).toBe(4);
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
  const QUERY = '{ trendingVideos { nodes { itemId duration } } }';
  const page = makePage(makeVideos(1, 20), 1, 20);
  let documents: DocumentCache;
  let run: FastPath;
  let rows: ChartWindow['videos'];

  const context = () => ({
    cost: createUpstreamCost(),
    operation: { name: undefined },
    connections: new Map(),
    charts: {
      readWindow: async () => ({ ranks: { first: 1, last: 20 }, videos: rows, facts: undefined }),
    } as unknown as ChartReader,
  });

  beforeEach(async () => {
    documents = new DocumentCache(1_000_000);
    await documents.set('key', parse(QUERY));
    run = createFastPath({
      schema,
      documents,
      maxCreditsPerOperation: 20,
      rowBytes: 100_000,
      prepareFrom: 2,
    });
    rows = page.rows.flatMap((video, index) => (video ? [{ rank: index + 1, video, page }] : []));
  });

  const ask = async (body: unknown = { query: QUERY }) => {
    const result = await run(body, context());
    return result && JSON.parse(Buffer.concat(result).toString());
  };

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

  it('leaves an operation to Apollo Server when a row cannot be serialised', async () => {
    const odd = {
      ...page,
      rows: page.rows.map((video, index) => video && { ...video, duration: index === 4 ? 1.5 : 1 }),
    };
    rows = odd.rows.flatMap((video, index) => (video ? [{ rank: index + 1, video, page: odd }] : []));
    for (let time = 0; time < 4; time++) expect(await ask()).toBeUndefined();
  });

  it('reads a failing window once, although Apollo Server executes the operation again', async () => {
    let reads = 0;
    const failing = context();
    const readWindow = async () => {
      reads++;
      throw new ApiError('UPSTREAM_TIMEOUT');
    };
    const contextValue = { ...failing, charts: { ...failing.charts, readWindow } };
    expect(await run({ query: QUERY }, contextValue)).toBeUndefined();
    const { errors } = await execute({ schema, document: parse(QUERY), contextValue: { ...contextValue } });
    expect(errors?.[0]?.originalError).toMatchObject({ code: 'UPSTREAM_TIMEOUT' });
    expect(reads).toBe(1);
  });

  it('gives the same result when the JSON of rows does not fit into its cache', async () => {
    run = createFastPath({
      schema,
      documents,
      maxCreditsPerOperation: 20,
      rowBytes: 1,
      prepareFrom: 1,
    });
    for (let time = 0; time < 3; time++) expect((await ask()).data.trendingVideos.nodes).toHaveLength(20);
  });
});

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

  it('does not cache a document that is larger than the cache', async () => {
    const documents = new DocumentCache(1000);
    await documents.set('key', parse('{ field }'));
    expect(documents.find('{ field }')).toBeUndefined();
  });
});
