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
    it('answers the top 20 for one request, and again for none', async () => {
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

    it('asks for the chart that was named, in either case', async () => {
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

    it('walks all 500 in windows of 7 for 25 requests, each video once, and then again for none', async () => {
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
      expect(app.emulator.counts).toEqual({ requests: 25, credits: 50 });
    });

    it('walks all 500 backwards for 25 requests: the probe is a page of the chart', async () => {
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

    it('answers 50 behind the 13th from the pages that it lacks, each once', async () => {
      app = await startEmulatedApp();
      const top = await connection({ first: 13 });
      const window = await connection({ first: 50, after: top.pageInfo.endCursor });
      expect(ranks(window)).toEqual(range(14, 63));
      expect(app.pagesBought()).toEqual([1, 2, 3, 4]);
      expect(window.cost).toMatchObject({ requests: 3, credits: 6, pages: { cached: 1, fetched: 3 } });
    });

    it('costs a cold tail one probe more than its own pages', async () => {
      app = await startEmulatedApp();
      expect(ranks(await connection({ last: 30 }))).toEqual(range(471, 500));
      expect(app.pagesBought()).toEqual([1, 24, 25]);
    });

    it('costs 100 concurrent identical operations one request', async () => {
      app = await startEmulatedApp();
      const release = app.holdUpstream();
      const answering = Promise.all(Array.from({ length: 100 }, () => connection()));
      await app.seeRequests(1);
      await settle();
      release();
      const answers = await answering;
      expect(app.pagesBought()).toEqual([1]);
      const requests = answers.map(({ cost }) => cost.requests);
      expect(requests.filter((count) => count === 1)).toHaveLength(1);
      expect(answers.filter(({ cost }) => cost.pages.shared === 1)).toHaveLength(99);
    });

    it('neither bills nor times out what waits for its turn', async () => {
      const clock = createTestClock();
      const variables = { KEYAPI_CONCURRENCY: '1', KEYAPI_TIMEOUT_MS: '300' };
      app = await startEmulatedApp({}, variables, { clock });
      let release = app.holdUpstream();
      const answer = connection({ first: 100 });
      for (const count of range(1, 5)) {
        await app.seeRequests(count);
        // Of those that wait, none has begun.
        expect(clock.deadlines().filter((ms) => ms === 300)).toHaveLength(1);
        const releaseThis = release;
        release = app.holdUpstream();
        releaseThis();
      }
      const { edges, cost } = await answer;
      expect(edges).toHaveLength(100);
      expect(cost.requests).toBe(5);
    });

    it('asks once for what all aliases want', async () => {
      app = await startEmulatedApp();
      const { data } = await app.query(CompareRegionsDocument, { left: 'US', right: 'us', first: 3 });
      expect(data?.left).toEqual(data?.right);
      expect(app.pagesBought()).toEqual([1]);
    });

    it('takes the facts of a chart and the length for a tail from what another alias buys anyway', async () => {
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

    it('leaves the data of an alias alone when its sibling fails', async () => {
      app = await startEmulatedApp();
      const { data, errors } = await app.query(CompareRegionsDocument, { left: 'US', right: 'ZZ', first: 1 });
      expect(data).toMatchObject({ left: { edges: [{ rank: 1 }] }, right: null });
      expect(errors).toMatchObject([
        { path: ['right'], extensions: { code: 'BAD_USER_INPUT', retryable: false } },
      ]);
    });

    it('keeps the bill when the client has gone', async () => {
      app = await startEmulatedApp();
      const release = app.holdUpstream();
      const address = await app.server.listen({ host: '127.0.0.1', port: 0 });
      const connected = once(app.server.server, 'connection');
      const client = new AbortController();
      const gone = fetch(`${address}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query: '{ trendingVideos { nodes { id } } }' }),
        signal: client.signal,
      });
      await app.seeRequests(1);
      const stayed = connection();
      client.abort();
      await expect(gone).rejects.toThrow('aborted');
      const [socket] = await connected;
      if (!socket.closed) await once(socket, 'close');
      release();
      expect((await stayed).edges).toHaveLength(20);
      expect((await connection()).cost).toMatchObject({ requests: 0, pages: { cached: 1 } });
      expect(app.pagesBought()).toEqual([1]);
      app.claimedElsewhere = 1;
    });

    it('goes on behind the video of a cursor after the chart has moved, on a server that never saw it', async () => {
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

  it('answers every field of a connection on its own', async () => {
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
    const connectionType = createSchema().getType('TrendingVideoConnection') as GraphQLObjectType;
    expect(Object.keys(connectionType.getFields()).sort()).toEqual([
      'edges',
      'fetchedAt',
      'nodes',
      'pageInfo',
      'stale',
      'totalCount',
    ]);
  });

  describe('money follows the selection', () => {
    const __typename = 'TrendingVideoConnection';
    it.each([
      ['__typename', '{ trendingVideos { __typename } }', { trendingVideos: { __typename } }],
      [
        '__typename of what is below',
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
    ])('asks nothing of upstream for %s', async (_name, document, expected) => {
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
    ])('asks for one page for %s, and for none when a page is held', async (_name, field) => {
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

    it('has true flags without the rows', async () => {
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

    it('sees all of a selection: fields that merge, aliases and fragments', async () => {
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

    it('costs the facts of a held chart nothing', async () => {
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

    it('refuses it even where nothing would be paid for', async () => {
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

    it('takes null and an empty cursor for absent', async () => {
      app = await startEmulatedApp();
      expect(ranks(await connection({ first: null, last: null, after: '', before: null }))).toEqual(
        range(1, 20),
      );
    });

    it.each([
      [
        'a literal of the wrong kind',
        '{ trendingVideos(region: 5) { __typename } }',
        {},
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [
        'an enum value that is none',
        '{ trendingVideos(orderBy: FUN) { __typename } }',
        {},
        'GRAPHQL_VALIDATION_FAILED',
      ],
      [
        'a variable of the wrong kind',
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
    ])("answers %s with graphql's or Apollo's own code", async (_name, document, variables, code) => {
      app = await startEmulatedApp();
      const { errors, extensions } = await app.query(document, variables);
      expect(errors).toMatchObject([{ extensions: { code, retryable: false } }]);
      expect(extensions.upstream).toMatchObject({ requests: 0 });
      expect(app.bill).toEqual([]);
    });

    it('takes a lower-case variable, and text of any country, for its region', async () => {
      app = await startEmulatedApp();
      expect((await connection({ region: 'gb', first: 1 })).edges).toMatchObject([
        { node: { countryCode: 'GB' } },
      ]);
    });
  });
});
