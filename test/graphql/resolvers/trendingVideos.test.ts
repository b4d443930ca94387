import { once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { GraphQLObjectType } from 'graphql';
import {
  ChartFactsDocument,
  CompareRegionsDocument,
  TrendingVideosDocument,
  type TrendingVideosQueryVariables,
} from '../../../schema/generated/operations.ts';
import { createSchema } from '../../../src/graphql/schema/createSchema.ts';
import { describeEachExecution, type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';

let app: EmulatedApp;

describeEachExecution(() => {
  afterEach(() => app.close());

  async function connection(variables: TrendingVideosQueryVariables = {}) {
    const { data, errors, extensions } = await app.query(TrendingVideosDocument, variables);
    expect(errors).toBeUndefined();
    if (!data?.trendingVideos) throw new Error('expected a connection');
    return { ...data.trendingVideos, cost: extensions.upstream };
  }

  function ranks({ edges }: { edges: { rank: number }[] }): number[] {
    return edges.map(({ rank }) => rank);
  }

  describe('trendingVideos', () => {
    it('returns the top 20 for one request, and from the cache for none', async () => {
      app = await startEmulatedApp();
      const before = Date.now();
      const first = await connection();
      const after = Date.now();
      expect(ranks(first)).toEqual(range(1, 20));
      expect(first).toMatchObject({
        totalCount: 500,
        stale: false,
        pageInfo: {
          hasNextPage: true,
          hasPreviousPage: false,
          startCursor: first.edges[0]?.cursor,
          endCursor: first.edges[19]?.cursor,
        },
        cost: {
          source: 'keyapi',
          requests: 1,
          credits: 2,
          pages: { cached: 0, stale: 0, shared: 0, fetched: 1 },
        },
      });
      expect(Date.parse(first.fetchedAt)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(first.fetchedAt)).toBeLessThanOrEqual(after);

      const again = await connection();
      expect(again.cost).toEqual({
        source: 'keyapi',
        requests: 0,
        credits: 0,
        pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
      });
      expect(again.edges).toEqual(first.edges);
      expect(app.bill).toEqual([{ page: '1', period: '7', limit: '20', region: 'US', order_by: 'vv' }]);
    });

    it('requests the chart of its arguments, with the region in either case', async () => {
      app = await startEmulatedApp();
      await connection({ region: 'de', period: 'LAST_120_DAYS', orderBy: 'REPOSTS' });
      await connection({ region: 'DE', period: 'LAST_120_DAYS', orderBy: 'REPOSTS' });
      await connection({ region: 'DE', period: 'LAST_30_DAYS', orderBy: 'COMMENTS' });
      await connection({ region: 'DE', period: 'LAST_30_DAYS', orderBy: 'LIKES' });
      expect(app.bill).toEqual([
        { page: '1', period: '120', limit: '20', region: 'DE', order_by: 'repost' },
        { page: '1', period: '30', limit: '20', region: 'DE', order_by: 'comment' },
        { page: '1', period: '30', limit: '20', region: 'DE', order_by: 'like' },
      ]);
    });

    it('pages through all 500 videos in windows of 7 for 25 requests, each video once, and again for none', async () => {
      app = await startEmulatedApp();
      async function walkForwards(): Promise<string[]> {
        const ids: string[] = [];
        let after: string | null = null;
        do {
          const { edges, pageInfo } = await connection({ first: 7, after });
          ids.push(...edges.map(({ node }) => node.itemId));
          after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
        } while (after !== null);
        return ids;
      }
      const ids = await walkForwards();
      expect(new Set(ids).size).toBe(500);
      expect(app.pagesBought()).toEqual(range(1, 25));
      expect(await walkForwards()).toEqual(ids);
      expect(app.emulator.counts).toMatchObject({ requests: 25, credits: 50 });
    });

    it('pages backwards through all 500 videos for 25 requests, reusing the page that gave the length of the chart', async () => {
      app = await startEmulatedApp();
      const walked: number[] = [];
      let before: string | null = null;
      do {
        const window = await connection({ last: 100, before });
        walked.unshift(...ranks(window));
        before = window.pageInfo.hasPreviousPage ? window.pageInfo.startCursor : null;
      } while (before !== null);
      expect(walked).toEqual(range(1, 500));
      expect(app.pagesBought()).toEqual(range(1, 25));
    });

    it('fetches only the missing pages of a window, each once', async () => {
      app = await startEmulatedApp();
      const top = await connection({ first: 13 });
      const window = await connection({ first: 50, after: top.pageInfo.endCursor });
      expect(ranks(window)).toEqual(range(14, 63));
      expect(app.pagesBought()).toEqual([1, 2, 3, 4]);
      expect(window.cost).toMatchObject({ requests: 3, credits: 6, pages: { cached: 1, fetched: 3 } });
    });

    it('fetches the pages of a tail, and one for the length of the chart, when nothing is cached', async () => {
      app = await startEmulatedApp();
      expect(ranks(await connection({ last: 30 }))).toEqual(range(471, 500));
      expect(app.pagesBought()).toEqual([1, 24, 25]);
    });

    it('sends one request for 100 concurrent identical operations', async () => {
      app = await startEmulatedApp();
      const release = app.holdUpstream();
      const pending = Promise.all(Array.from({ length: 100 }, () => connection()));
      await app.seeRequests(1);
      await settle();
      release();
      const results = await pending;
      expect(app.pagesBought()).toEqual([1]);
      const requests = results.map(({ cost }) => cost.requests);
      expect(requests.filter((count) => count === 1)).toHaveLength(1);
      expect(results.filter(({ cost }) => cost.pages.shared === 1)).toHaveLength(99);
    });

    it('starts the timeout of a queued call only when it is sent', async () => {
      const clock = createTestClock();
      const variables = { KEYAPI_CONCURRENCY: '1', KEYAPI_TIMEOUT_MS: '300' };
      app = await startEmulatedApp({}, variables, { clock });
      let release = app.holdUpstream();
      const pending = connection({ first: 100 });
      for (const count of range(1, 5)) {
        await app.seeRequests(count);
        // No timeout of a queued call has started.
        expect(clock.deadlines().filter((ms) => ms === 300)).toHaveLength(1);
        const releaseThis = release;
        release = app.holdUpstream();
        releaseThis();
      }
      const { edges, cost } = await pending;
      expect(edges).toHaveLength(100);
      expect(cost.requests).toBe(5);
    });

    it('fetches a page that several aliases need once', async () => {
      app = await startEmulatedApp();
      const { data } = await app.query(CompareRegionsDocument, { left: 'US', right: 'us', first: 3 });
      expect(data?.left).toEqual(data?.right);
      expect(app.pagesBought()).toEqual([1]);
    });

    it('takes totalCount, and the length of the chart for a tail, from a page that another alias fetches anyway', async () => {
      app = await startEmulatedApp();
      const { pageInfo } = await connection({ first: 45 });
      const replica = await startEmulatedApp();
      try {
        await replica.query(`{
        facts: trendingVideos { totalCount }
        tail: trendingVideos(last: 5) { nodes { id } }
        window: trendingVideos(first: 5, after: "${pageInfo.endCursor}") { nodes { id } }
      }`);
        expect(replica.pagesBought()).toEqual([3, 25]);
      } finally {
        await replica.close();
      }
    });

    it('returns the data of an alias when another one fails', async () => {
      app = await startEmulatedApp();
      const { data, errors } = await app.query(CompareRegionsDocument, { left: 'US', right: 'ZZ', first: 1 });
      expect(data).toMatchObject({ left: { edges: [{ rank: 1 }] }, right: null });
      expect(errors).toMatchObject([
        { path: ['right'], extensions: { code: 'BAD_USER_INPUT', retryable: false } },
      ]);
    });

    it('caches the page that was bought for a client that has disconnected', async () => {
      app = await startEmulatedApp();
      const release = app.holdUpstream();
      const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
      const connected = once(app.server.server, 'connection');
      const client = new AbortController();
      const aborted = fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ trendingVideos { nodes { id } } }' }),
        signal: client.signal,
      });
      await app.seeRequests(1);
      const other = connection();
      client.abort();
      await expect(aborted).rejects.toThrow('aborted');
      const [socket] = await connected;
      if (!socket.closed) await once(socket, 'close');
      release();
      expect((await other).edges).toHaveLength(20);
      expect((await connection()).cost).toMatchObject({ requests: 0, pages: { cached: 1 } });
      expect(app.pagesBought()).toEqual([1]);
      app.claimedElsewhere = 1;
    });

    it('continues after the video of a cursor when the chart has moved, on a server that never cached it', async () => {
      app = await startEmulatedApp();
      const { edges } = await connection({ first: 40 });
      const after = edges[24]?.cursor;
      const replica = await startEmulatedApp({ rotation: 3 });
      try {
        const { data } = await replica.query(TrendingVideosDocument, { first: 5, after });
        expect(data?.trendingVideos?.edges.map(({ node }) => node.itemId)).toEqual(
          edges.slice(25, 30).map(({ node }) => node.itemId),
        );
        expect(data?.trendingVideos?.edges.map(({ rank }) => rank)).toEqual(range(23, 27));
        expect(replica.pagesBought()).toEqual([2]);
      } finally {
        await replica.close();
      }
    });
  });

  it('resolves each field of a connection when it is selected alone', async () => {
    app = await startEmulatedApp();
    for (const field of [
      'edges { rank }',
      'nodes { id }',
      'totalCount',
      'fetchedAt',
      'stale',
      'pageInfo { hasNextPage }',
      'pageInfo { hasPreviousPage }',
      'pageInfo { startCursor }',
      'pageInfo { endCursor }',
    ]) {
      const { data, errors } = await app.query(`{ trendingVideos(region: "FR") { ${field} } }`);
      expect({ field, errors, data }).toEqual({
        field,
        errors: undefined,
        data: { trendingVideos: { [field.split(' ')[0] ?? '']: expect.anything() } },
      });
    }
    const compared = await app.query('{ trendingVideos(region: "FR") { comparedWith { knownRanks } } }');
    expect(compared.data).toEqual({ trendingVideos: { comparedWith: null } });
    const connectionType = createSchema().getType('TrendingVideoConnection') as GraphQLObjectType;
    expect(Object.keys(connectionType.getFields()).sort()).toEqual([
      'comparedWith',
      'edges',
      'fetchedAt',
      'nodes',
      'pageInfo',
      'stale',
      'totalCount',
    ]);
  });

  describe('the cost follows the selection', () => {
    const __typename = 'TrendingVideoConnection';
    it.each([
      ['__typename', '{ trendingVideos { __typename } }', { trendingVideos: { __typename } }],
      [
        '__typename of a nested object',
        '{ trendingVideos { pageInfo { __typename } } }',
        { trendingVideos: { pageInfo: { __typename: 'PageInfo' } } },
      ],
      [
        'introspection',
        '{ __schema { queryType { name } } }',
        { __schema: { queryType: { name: 'Query' } } },
      ],
      [
        'fields that are skipped',
        '{ trendingVideos { __typename nodes @skip(if: true) { id } totalCount @include(if: false) } }',
        { trendingVideos: { __typename } },
      ],
      [
        'an empty window',
        '{ trendingVideos(first: 0) { nodes { id } pageInfo { endCursor } } }',
        { trendingVideos: { nodes: [], pageInfo: { endCursor: null } } },
      ],
      ['an operation that is not valid', '{ trendingVideos { nope } }', undefined],
      ['a document that cannot be parsed', '{ trendingVideos {', undefined],
    ])('sends no request for %s', async (_name, document, expected) => {
      app = await startEmulatedApp();
      const { data, extensions } = await app.query(document);
      expect(app.bill).toEqual([]);
      expect(data).toEqual(expected);
      expect(extensions.upstream).toEqual({
        source: 'keyapi',
        requests: 0,
        credits: 0,
        pages: { cached: 0, stale: 0, shared: 0, fetched: 0 },
      });
    });

    it.each([
      ['the facts', 'trendingVideos(first: 100) { totalCount fetchedAt stale }'],
      ['the flags', 'trendingVideos(first: 100) { pageInfo { hasNextPage hasPreviousPage } }'],
      ['the facts of a tail', 'trendingVideos(last: 100) { totalCount }'],
      ['the facts of an empty window', 'trendingVideos(first: 0) { totalCount pageInfo { hasNextPage } }'],
      ['facts in fragments', 'trendingVideos(first: 100) { ... on TrendingVideoConnection { ...Facts } }'],
    ])('fetches one page for %s, and none when a page is cached', async (_name, field) => {
      app = await startEmulatedApp();
      const fragment = 'fragment Facts on TrendingVideoConnection { totalCount }';
      const document = field.includes('...Facts') ? `{ ${field} } ${fragment}` : `{ ${field} }`;
      expect((await app.query(document)).extensions.upstream).toMatchObject({ requests: 1, credits: 2 });
      expect((await app.query(document)).extensions.upstream).toMatchObject({
        requests: 0,
        pages: { cached: 1 },
      });
      expect(app.pagesBought()).toEqual([1]);
    });

    it('returns correct flags when no rows are selected', async () => {
      app = await startEmulatedApp();
      const flags = async (args: string) =>
        (
          await app.query<{ trendingVideos: { pageInfo: unknown } }>(
            `{ trendingVideos(${args}) { pageInfo { hasNextPage hasPreviousPage } } }`,
          )
        ).data?.trendingVideos.pageInfo;
      expect(await flags('first: 20')).toEqual({ hasNextPage: true, hasPreviousPage: false });
      expect(await flags('last: 20')).toEqual({ hasNextPage: false, hasPreviousPage: true });
      expect(await flags('first: 0')).toEqual({ hasNextPage: false, hasPreviousPage: false });
      expect(app.pagesBought()).toEqual([1]);
    });

    it('reads the whole selection: merged fields, aliases and fragments', async () => {
      app = await startEmulatedApp();
      const { data, errors } = await app.query(`
      {
        trendingVideos(first: 1) { totalCount }
        trendingVideos(first: 1) { ...Rows start: pageInfo { startCursor } flags: pageInfo { hasNextPage } }
      }
      fragment Rows on TrendingVideoConnection { edges { rank } nodes { itemId } }
    `);
      expect(errors).toBeUndefined();
      expect(data).toMatchObject({
        trendingVideos: {
          totalCount: 500,
          edges: [{ rank: 1 }],
          nodes: [{ itemId: expect.any(String) }],
          start: { startCursor: expect.any(String) },
          flags: { hasNextPage: true },
        },
      });
    });

    it('returns the facts of a cached chart at no cost', async () => {
      app = await startEmulatedApp();
      await connection({ region: 'GB' });
      const { data, extensions } = await app.query(ChartFactsDocument, { region: 'GB' });
      expect(data?.trendingVideos?.totalCount).toBe(500);
      expect(extensions.upstream).toMatchObject({ requests: 0, pages: { cached: 1 } });
    });
  });

  describe('bad input', () => {
    it.each([
      ['first: -1', 'Argument "first": expected 0 to 100, but got: -1'],
      ['first: 101', 'Argument "first": expected 0 to 100, but got: 101'],
      ['last: -1', 'Argument "last": expected 0 to 100, but got: -1'],
      ['first: 5, last: 101', 'Argument "last": expected 0 to 100, but got: 101'],
      ['region: "ZZ"', 'Argument "region": expected an ISO 3166-1 alpha-2 country code, but got: "ZZ"'],
      [
        'after: "nonsense"',
        'Argument "after": expected a cursor that this API returned, but got: "nonsense"',
      ],
      ['before: "bm8"', 'Argument "before": expected a cursor that this API returned, but got: "bm8"'],
    ])('refuses %s before any call', async (args, message) => {
      app = await startEmulatedApp();
      const { data, errors } = await app.query(`{ trendingVideos(${args}) { nodes { id } } }`);
      expect({ data, errors }).toEqual({
        data: { trendingVideos: null },
        errors: [
          {
            message,
            locations: [{ line: 1, column: 3 }],
            path: ['trendingVideos'],
            extensions: { code: 'BAD_USER_INPUT', retryable: false },
          },
        ],
      });
      expect(app.bill).toEqual([]);
    });

    it('refuses bad input even when the selection would cost nothing', async () => {
      app = await startEmulatedApp();
      const { errors } = await app.query('{ trendingVideos(region: "ZZ") { __typename } }');
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    });

    it('refuses the cursor of another chart', async () => {
      app = await startEmulatedApp();
      const { pageInfo } = await connection({ region: 'US' });
      for (const chart of [
        { region: 'GB' },
        { period: 'LAST_30_DAYS' as const },
        { orderBy: 'LIKES' as const },
      ]) {
        const { errors } = await app.query(TrendingVideosDocument, { ...chart, after: pageInfo.endCursor });
        expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      }
      expect(app.pagesBought()).toEqual([1]);
    });

    it('treats null and an empty cursor as absent', async () => {
      app = await startEmulatedApp();
      expect(ranks(await connection({ first: null, last: null, after: '', before: null }))).toEqual(
        range(1, 20),
      );
    });

    it.each([
      ['region:', 'USA'],
      ['region:', '5'],
      ['region:', '1.5'],
      ['region:', 'true'],
      ['region:', 'null'],
      ['region:', '["US"]'],
      ['region:', '[$r]'],
      ['region:', '{a: "US"}'],
      ['region:', '{a: $r}'],
      ['period:', '"LAST_7_DAYS"'],
      ['period:', '[LAST_7_DAYS]'],
      ['orderBy:', '5'],
      ['first:', '"1"'],
      ['after:', '5'],
    ])('refuses a literal of the wrong kind, and says where it is: %s %s', async (argument, literal) => {
      app = await startEmulatedApp();
      const start = `query ($r: CountryCode = "US") { a: trendingVideos(region: $r) { totalCount } b: trendingVideos(${argument} `;
      const { data, errors } = await app.query(`${start}${literal}) { totalCount } }`);
      expect(data).toBeUndefined();
      expect(errors).toMatchObject([
        {
          locations: [{ line: 1, column: start.length + 1 }],
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED', retryable: false },
        },
      ]);
      expect(app.bill).toEqual([]);
    });

    it('refuses a default of the wrong kind, and says where it is', async () => {
      app = await startEmulatedApp();
      const { errors } = await app.query(
        'query ($r: CountryCode! = GB) { trendingVideos(region: $r) { totalCount } }',
      );
      expect(errors).toMatchObject([
        {
          message: 'CountryCode: expected a string such as "US", but got another type',
          locations: [{ line: 1, column: 27 }],
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
        },
      ]);
    });

    it.each([
      [
        'an unknown enum value',
        '{ trendingVideos(orderBy: FUN) { __typename } }',
        {},
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [
        'a variable of the wrong type',
        'query ($r: CountryCode!) { trendingVideos(region: $r) { __typename } }',
        { r: 5 },
        'BAD_USER_INPUT',
      ],
      [
        'null for an argument that cannot be null',
        'query ($r: CountryCode) { trendingVideos(region: $r) { __typename } }',
        { r: null },
        'BAD_USER_INPUT',
      ],
      ['a mutation', 'mutation { buy }', {}, 'BAD_USER_INPUT'],
      [
        'a number beyond Int',
        'query ($n: Int) { trendingVideos(first: $n) { __typename } }',
        { n: 2 ** 40 },
        'BAD_USER_INPUT',
      ],
      ['a document that cannot be parsed', '{', {}, 'GRAPHQL_PARSE_FAILED'],
      [
        'two operations without a name',
        'query A { __typename } query B { __typename }',
        {},
        'OPERATION_RESOLUTION_FAILURE',
      ],
    ])(
      'reports %s with the code of graphql-js or Apollo Server',
      async (_name, document, variables, code) => {
        app = await startEmulatedApp();
        const { errors, extensions } = await app.query(document, variables);
        expect(errors).toMatchObject([{ extensions: { code, retryable: false } }]);
        expect(extensions.upstream).toMatchObject({ requests: 0 });
        expect(app.bill).toEqual([]);
      },
    );

    it('accepts a lower-case region in a variable', async () => {
      app = await startEmulatedApp();
      expect((await connection({ region: 'gb', first: 1 })).edges).toMatchObject([
        { node: { countryCode: 'GB' } },
      ]);
    });
  });
});
