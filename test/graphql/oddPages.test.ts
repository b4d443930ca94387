import { afterEach, describe, expect, it } from '@jest/globals';
import {
  TrendingVideosDocument,
  type TrendingVideosQueryVariables,
} from '../../schema/generated/operations.ts';
import { describeEachExecution, startApp, type TestApp } from '../support/app.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import {
  type Handler,
  makeRow,
  makeSuccess,
  reply,
  startUpstream,
  type Upstream,
} from '../support/upstream.ts';

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;

/** Starts an upstream whose chart consists of `rows`; for pages in `failing` it responds with 500. */
async function start(rows: readonly unknown[], failing: readonly number[] = []): Promise<void> {
  const handler: Handler = (request, response) => {
    const page = Number(new URL(request.url ?? '', upstream.url).searchParams.get('page'));
    if (failing.includes(page)) return reply({ code: 500, data: null }, 500)(request, response);
    const pagination = { has_more: page * 20 < rows.length, limit: 20, page, total_count: rows.length };
    return reply(makeSuccess(rows.slice((page - 1) * 20, page * 20), pagination))(request, response);
  };
  upstream = await startUpstream(handler);
  clock = createTestClock();
  app = await startApp(upstream.url, {}, { clock });
}

async function connection(variables: TrendingVideosQueryVariables) {
  const { data } = await app.query(TrendingVideosDocument, variables);
  if (!data?.trendingVideos) throw new Error('expected a connection');
  return { ...data.trendingVideos, ranks: data.trendingVideos.edges.map(({ rank }) => rank) };
}

function makeRows(length: number, dropped: readonly number[] = []): unknown[] {
  return Array.from({ length }, (_, index) =>
    dropped.includes(index + 1) ? null : makeRow(String(index + 1)),
  );
}

describeEachExecution(() => {
  afterEach(async () => {
    await app.close();
    await upstream.close();
  });

  describe('rows that cannot be read', () => {
    it("do not change a window's flags, which depend on ranks", async () => {
      await start(makeRows(40, [1, 40]));
      expect(await connection({ last: 3 })).toMatchObject({
        ranks: [38, 39],
        pageInfo: { hasNextPage: false },
      });
      expect(await connection({ first: 3 })).toMatchObject({
        ranks: [2, 3],
        pageInfo: { hasPreviousPage: false },
      });
    });

    it('leave a window without edges its cursors, to continue from in both directions', async () => {
      await start(makeRows(40, [11, 12, 13, 14, 15]));
      const { edges } = await connection({ first: 10 });
      const hole = await connection({ first: 5, after: edges[9]?.cursor ?? null });
      expect(hole).toMatchObject({ ranks: [], pageInfo: { hasNextPage: true, hasPreviousPage: true } });
      expect((await connection({ first: 2, after: hole.pageInfo.endCursor })).ranks).toEqual([16, 17]);
      expect((await connection({ last: 2, before: hole.pageInfo.startCursor })).ranks).toEqual([9, 10]);
    });

    it('are missing from nodes and from edges', async () => {
      await start(makeRows(5, [2]));
      const { data } = await app.query<{ trendingVideos: { edges: { node: unknown }[]; nodes: unknown[] } }>(
        '{ trendingVideos { edges { node { itemId } } nodes { itemId } } }',
      );
      expect(data?.trendingVideos.nodes).toEqual(['1', '3', '4', '5'].map((itemId) => ({ itemId })));
      expect(data?.trendingVideos.edges.map(({ node }) => node)).toEqual(data?.trendingVideos.nodes);
    });
  });

  it('fetches the pages of a window in parallel', async () => {
    const waiting: (() => void)[] = [];
    upstream = await startUpstream((request, response) => {
      waiting.push(() =>
        reply(makeSuccess([], { has_more: true, limit: 20, total_count: 500 }))(request, response),
      );
      // No response is sent before all five requests have arrived.
      if (waiting.length === 5) for (const respond of waiting) respond();
    });
    app = await startApp(upstream.url);
    await connection({ first: 100 });
    expect(upstream.requests).toHaveLength(5);
  });

  it('returns the data of an alias when a page fails that only another alias needs', async () => {
    await start(makeRows(100), [3]);
    const { edges } = await connection({ first: 40 });
    const { data, errors } = await app.query<{ top: unknown; below: unknown }>(`{
    top: trendingVideos(first: 1) { nodes { itemId } }
    below: trendingVideos(first: 1, after: "${edges[39]?.cursor}") { nodes { itemId } }
  }`);
    expect(data).toEqual({ top: { nodes: [{ itemId: '1' }] }, below: null });
    expect(errors).toMatchObject([{ path: ['below'], extensions: { code: 'UPSTREAM_ERROR' } }]);
  });

  it('takes fetchedAt of a tail from its own pages, not from the page that gave the length of the chart', async () => {
    await start(makeRows(100));
    const { fetchedAt: firstFetchedAt } = await connection({ first: 1 });
    clock.advance(20);
    const { fetchedAt } = await connection({ last: 1 });
    expect(Date.parse(fetchedAt) - Date.parse(firstFetchedAt)).toBe(20);
  });

  it('reports a chart that claims more ranks than possible with a retryable error', async () => {
    await start(makeRows(20));
    await upstream.close();
    upstream = await startUpstream(
      reply(makeSuccess([], { has_more: true, limit: 20, page: 1, total_count: 2 ** 53 - 1 })),
    );
    await app.close();
    app = await startApp(upstream.url);
    const { errors } = await app.query('{ trendingVideos(last: 2) { nodes { id } } }');
    expect(errors).toMatchObject([{ extensions: { code: 'UPSTREAM_BAD_RESPONSE', retryable: true } }]);
  });
});
