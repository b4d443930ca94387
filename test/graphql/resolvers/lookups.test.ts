import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { describeEachExecution, type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';

interface Video {
  readonly id: string;
  readonly itemId: string;
  readonly title?: string;
  readonly cover?: string;
}

let app: EmulatedApp;
let clock: TestClock;

describeEachExecution(() => {
  beforeEach(async () => {
    clock = createTestClock();
    app = await startEmulatedApp({}, {}, { clock, random: () => 0 });
  });

  afterEach(() => app.close());

  /** Reads a window of a chart, so that its pages are cached. */
  async function readChart(args = 'first: 20'): Promise<Video[]> {
    const { data } = await app.query<{ trendingVideos: { nodes: Video[] } }>(
      `{ trendingVideos(${args}) { nodes { id itemId title cover } } }`,
    );
    return data?.trendingVideos.nodes ?? [];
  }

  function idsOf(videos: readonly Video[]): string[] {
    return videos.map(({ itemId }) => itemId);
  }

  const FREE = { source: 'keyapi', requests: 0, credits: 0 };
  const UNKNOWN = '1234567890123456789';

  describe('trendingVideo', () => {
    const QUERY = 'query ($itemId: ID!) { trendingVideo(itemId: $itemId) { id itemId title cover } }';

    it('finds a video on any cached page, and reports that page and no cost', async () => {
      const [, second] = await readChart();
      const [, , third] = await readChart('region: "DE", orderBy: LIKES, last: 3');
      for (const video of [second, third]) {
        const { data, extensions } = await app.query(QUERY, { itemId: video?.itemId });
        expect(data).toEqual({ trendingVideo: video });
        expect(extensions.upstream).toEqual({
          ...FREE,
          pages: { cached: 1, stale: 0, shared: 0, fetched: 0 },
        });
      }
      expect(app.bill).toHaveLength(3);
    });

    it.each(['', '0', UNKNOWN, 'abc', '1'.repeat(10_000), '７１０', '__proto__', '\0', '\ud800'])(
      'is null for %j, which is on no cached page',
      async (itemId) => {
        await readChart();
        const { data, errors, extensions } = await app.query(QUERY, { itemId });
        expect({ data, errors }).toEqual({ data: { trendingVideo: null }, errors: undefined });
        expect(extensions.upstream).toMatchObject(FREE);
      },
    );

    it('returns stale data while it may be served, and never refreshes it', async () => {
      const [first] = await readChart();
      clock.advance(3_600_000);
      for (const title of ['a', 'b', 'b']) {
        const { data, extensions } = await app.query(
          `{ ${title}: trendingVideo(itemId: "${first?.itemId}") { itemId } }`,
        );
        expect(data).toEqual({ [title]: { itemId: first?.itemId } });
        expect(extensions.upstream.pages).toMatchObject({ stale: 1 });
      }
      clock.advance(86_400_000);
      expect(await app.query(QUERY, { itemId: first?.itemId })).toMatchObject({
        data: { trendingVideo: null },
      });
      expect(app.bill).toHaveLength(1);
    });

    it('finds a video that was cached after a lookup without a result', async () => {
      const [first] = await readChart();
      await app.close();
      app = await startEmulatedApp({}, {}, { clock });
      const ask = () => app.query(QUERY, { itemId: first?.itemId });
      expect(await ask()).toMatchObject({ data: { trendingVideo: null } });
      await readChart();
      expect(await ask()).toMatchObject({ data: { trendingVideo: { itemId: first?.itemId } } });
    });
  });

  describe('trendingVideosByItemId', () => {
    const QUERY = 'query ($itemIds: [ID!]!) { trendingVideosByItemId(itemIds: $itemIds) { itemId title } }';
    const ask = (itemIds: readonly unknown[]) =>
      app.query<{ trendingVideosByItemId: (Video | null)[] }, { itemIds: readonly unknown[] }>(QUERY, {
        itemIds,
      });

    it('returns one item for each id, in order: duplicates repeated, null for unknown ids', async () => {
      const [first = '', second = '', third = ''] = idsOf(await readChart());
      const itemIds = [third, UNKNOWN, first, third, 'none', second, first];
      const { data, errors, extensions } = await ask(itemIds);
      expect(errors).toBeUndefined();
      expect(data?.trendingVideosByItemId.map((video) => video?.itemId ?? null)).toEqual([
        third,
        null,
        first,
        third,
        null,
        second,
        first,
      ]);
      expect(extensions.upstream).toEqual({ ...FREE, pages: { cached: 1, stale: 0, shared: 0, fetched: 0 } });
    });

    it('accepts 100 ids on many pages, and an empty list', async () => {
      const ids = idsOf(await readChart('first: 100'));
      const { data, extensions } = await ask(ids);
      expect(data?.trendingVideosByItemId.map((video) => video?.itemId)).toEqual(ids);
      expect(extensions.upstream).toMatchObject({ ...FREE, pages: { cached: 5 } });
      expect((await ask([])).data).toEqual({ trendingVideosByItemId: [] });
    });

    it('refuses 101 ids, naming the argument, before a sibling field buys anything', async () => {
      const { data, errors } = await app.query(
        `query ($itemIds: [ID!]!) {
        trendingVideos { nodes { id } }
        trendingVideosByItemId(itemIds: $itemIds) { itemId }
      }`,
        { itemIds: Array(101).fill('1') },
      );
      expect(data).toBeUndefined();
      expect(errors).toMatchObject([
        {
          message: 'Argument "itemIds": expected at most 100 ids, but got: 101',
          extensions: { code: 'BAD_USER_INPUT', retryable: false },
        },
      ]);
      expect(app.bill).toEqual([]);
    });

    it('reads number literals beyond 2^53, and such defaults, without losing digits', async () => {
      const [first] = await readChart();
      const { data } = await app.query(
        `query ($itemId: ID! = ${first?.itemId}) {
          trendingVideosByItemId(itemIds: [${first?.itemId}, $itemId]) { itemId }
        }`,
      );
      const video = { itemId: first?.itemId };
      expect(data).toEqual({ trendingVideosByItemId: [video, video] });
    });
  });

  describe('node and nodes', () => {
    const QUERY = `query ($id: ID!, $ids: [ID!]!) {
    node(id: $id) { __typename id ... on TrendingVideo { title } }
    nodes(ids: $ids) { __typename id ... on TrendingVideo { itemId } }
  }`;

    it('return the objects with these global ids, in order', async () => {
      const [first, second] = await readChart();
      const { data, extensions } = await app.query(QUERY, {
        id: first?.id,
        ids: [second?.id, 'unknown', first?.id, second?.id],
      });
      const toNode = (video?: Video) => ({
        __typename: 'TrendingVideo',
        id: video?.id,
        itemId: video?.itemId,
      });
      expect(data).toEqual({
        node: { __typename: 'TrendingVideo', id: first?.id, title: first?.title },
        nodes: [toNode(second), null, toNode(first), toNode(second)],
      });
      expect(extensions.upstream).toMatchObject({ ...FREE, pages: { cached: 1 } });
    });

    it('return null for an id that differs from a global id in any byte', async () => {
      const [first] = await readChart();
      const { id = '', itemId = '' } = first ?? {};
      const encode = (text: string) => Buffer.from(text).toString('base64url');
      const invalidIds = [
        '',
        itemId,
        ` ${id}`,
        `${id}=`,
        `${id}.`,
        id.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
        Buffer.from(`TrendingVideo:${itemId}`).toString('base64').padEnd(64, '='),
        encode(`trendingVideo:${itemId}`),
        encode(`TrendingVideo${itemId}`),
        encode(`Creator:${itemId}`),
        encode(`TrendingVideo:0${itemId}`),
        encode(`TrendingVideo: ${itemId}`),
        encode(`TrendingVideo:${itemId}\n`),
        encode('TrendingVideo:'),
        encode(':'),
      ];
      const { data, errors } = await app.query(QUERY, { id: '\0', ids: invalidIds });
      expect(errors).toBeUndefined();
      expect(data).toEqual({ node: null, nodes: invalidIds.map(() => null) });
    });
  });

  describe('an id sent as a JSON number', () => {
    /** Beside each lookup there is a chart: nothing of it may be bought. */
    const CHART = 'trendingVideos { nodes { id } }';
    const ARGUMENTS: [string, string, (id: number) => unknown, string][] = [
      ['ID!', 'trendingVideo(itemId: $v) { id }', (id) => id, ''],
      ['ID!', 'trendingVideosByItemId(itemIds: ["1", $v]) { id }', (id) => id, ''],
      ['ID = "1"', 'node(id: $v) { id }', (id) => id, ''],
      ['[ID!]!', 'nodes(ids: $v) { id }', (id) => ['x', id], ' at "v[1]"'],
      ['[ID!] = [1]', 'nodes(ids: $v) { id }', (id) => [id], ' at "v[0]"'],
      ['[ID!]!', 'trendingVideosByItemId(itemIds: $v) { id }', (id) => id, ''],
      [
        'ID',
        '_entities(representations: { __typename: "TrendingVideo", itemId: $v }) { __typename }',
        (id) => id,
        '',
      ],
    ];

    describe.each(ARGUMENTS)('as a variable of type %s for %s', (type, field, toValue, place) => {
      const ask = (id: number) => app.query(`query ($v: ${type}) { ${field} ${CHART} }`, { v: toValue(id) });

      it('is refused when it has lost digits, before anything is bought', async () => {
        for (const [id, shown] of [
          [2 ** 53, '9007199254740992'],
          [Number('7587114666132868383'), '7587114666132868000'],
          [-(2 ** 53), '-9007199254740992'],
          [1e30, '1e+30'],
        ] as const) {
          const { data, errors } = await ask(id);
          expect(data).toBeUndefined();
          expect(errors).toEqual([
            {
              message:
                `Variable "$v" got invalid value ${shown}${place}; ID: expected a string such as ` +
                '"7106594312292453675", but got a number beyond 2^53 - 1, which has lost digits',
              locations: [{ line: 1, column: 8 }],
              extensions: { code: 'BAD_USER_INPUT', retryable: false },
            },
          ]);
        }
        expect(app.bill).toEqual([]);
      });

      it('is accepted when it has all digits', async () => {
        for (const id of [0, 42, 1e3, Number.MAX_SAFE_INTEGER]) {
          const { data, errors } = await ask(id);
          expect(errors).toBeUndefined();
          expect(data).toMatchObject({ trendingVideos: { nodes: expect.any(Array) } });
        }
      });
    });

    it('is refused however its digits are written', async () => {
      const query = 'query ($v: ID!) { trendingVideo(itemId: $v) { id } }';
      await app.query(query, { v: '1' });
      for (const digits of ['9007199254740993', '7587114666132868383', '1e400']) {
        const response = await app.server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { 'content-type': 'application/json' },
          payload: `{"query":"${query}","variables":{"v":${digits}}}`,
        });
        expect(response.json().errors).toMatchObject([
          {
            message: expect.stringContaining('which has lost digits'),
            extensions: { code: 'BAD_USER_INPUT' },
          },
        ]);
      }
    });
  });

  describe('an operation', () => {
    const repeat = (count: number, field: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => field(index)).join(' ');

    it('looks up at most 1000 ids in all its fields together', async () => {
      const ids = Array(100).fill('1');
      const list = (index: number) => `a${index}: nodes(ids: $ids) { id }`;
      const ask = (count: number, more = '') =>
        app.query(`query ($ids: [ID!]!) { ${repeat(count, list)} ${more} }`, { ids });
      expect((await ask(10)).errors).toBeUndefined();
      // A repeated field counts once.
      expect((await ask(10, list(0))).errors).toBeUndefined();
      for (const result of [
        await ask(10, 'node(id: "x") { id }'),
        await ask(
          10,
          '... on Query { ...More } } fragment More on Query { trendingVideo(itemId: "1") { id }',
        ),
      ]) {
        expect(result.data).toBeUndefined();
        expect(result.errors).toMatchObject([
          {
            message: 'Expected at most 1000 ids to look up in one operation, but got: 1001',
            extensions: { code: 'BAD_USER_INPUT' },
          },
        ]);
      }
      const skipped =
        '... on Query @include(if: false) { ...More } } fragment More on Query { node(id: "1") { id }';
      expect((await ask(10, skipped)).errors).toBeUndefined();
    });

    it('is refused when its arguments cannot be coerced, before anything is bought', async () => {
      const { data, errors } = await app.query(
        'query ($ids: [ID!] = ["a"]) { trendingVideos { nodes { id } } nodes(ids: $ids) { id } }',
        { ids: null },
      );
      expect(data).toBeUndefined();
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
      expect(app.bill).toEqual([]);
    });
  });

  describe('a response with lookups', () => {
    const post = (query: string) =>
      app.server.inject({ method: 'POST', url: '/graphql', payload: { query } });

    it('may be cached by clients while its pages are fresh, and is cached by the server for a second', async () => {
      const [first] = await readChart();
      clock.advance(600_000);
      const query = `{ trendingVideo(itemId: "${first?.itemId}") { title } }`;
      expect((await post(query)).headers['cache-control']).toBe(
        'public, max-age=3000, stale-while-revalidate=86400, stale-if-error=86400',
      );
      await post(query);
      clock.advance(1000);
      await post(query);
      expect(app.origins().slice(-3)).toEqual(['made', 'kept', 'made']);
    });

    it('is executed again after a page has arrived, which may have a newer copy', async () => {
      const [first] = await readChart();
      const query = `{ trendingVideo(itemId: "${first?.itemId}") { title } }`;
      const served: unknown[] = [];
      for (const chart of ['region: "US"', 'region: "US"', 'region: "DE"', 'region: "DE"']) {
        await readChart(chart);
        await post(query);
        served.push(app.origins().at(-1));
      }
      expect(served).toEqual(['made', 'kept', 'made', 'kept']);
    });

    it('is not cached when an id in it is unknown', async () => {
      const [first] = await readChart();
      const query = `{ trendingVideosByItemId(itemIds: ["${first?.itemId}", "${UNKNOWN}"]) { title } }`;
      for (const _ of [1, 2]) {
        const { headers } = await post(query);
        expect([headers['cache-control'], app.origins().at(-1)]).toEqual(['no-store', 'made']);
      }
    });
  });
});
