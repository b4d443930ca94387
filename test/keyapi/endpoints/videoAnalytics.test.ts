import { describe, expect, it } from '@jest/globals';
import { GraphQLDateTime, GraphQLSafeInt } from 'graphql-scalars';
import type { BatchStats, VideoStats } from '../../../src/domain/videoStats.ts';
import { videoAnalytics } from '../../../src/keyapi/endpoints/videoAnalytics.ts';
import { fc } from '../../support/fastCheck.ts';

const ID = '7618550044995669279';
const OTHER = '7587114666132868383';
const NOW = 1_780_000_000_000;

/** The row of the contract, with changes. */
function makeRow(overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    video_id: ID,
    user_id: '6699136201699640325',
    unique_id: 'spidermanmovie',
    create_time: '1773831925',
    duration: 153,
    region: 'US',
    created_by_ai: 'false',
    is_ad: 1,
    total_views_cnt: 91_589_621,
    total_digg_cnt: 6_625_261,
    total_comments_cnt: 41_427,
    total_shares_cnt: 1_202_761,
    total_favorites_cnt: 629_738,
    total_views_1d_cnt: 0,
    total_views_7d_cnt: 0,
    total_views_30d_cnt: 91_589_621,
    video_desc: '...',
    video_products: '[]',
    product_category_list: '[]',
    ...overrides,
  };
}

const STATS: VideoStats = {
  views: 91_589_621,
  likes: 6_625_261,
  comments: 41_427,
  shares: 1_202_761,
  favorites: 629_738,
  publishedAt: 1_773_831_925_000,
  fetchedAt: NOW,
};

/** The values read from a payload, with what was reported. */
function read(data: unknown, itemIds: readonly string[] = [ID]) {
  const dropped: number[] = [];
  const unknownFields: string[] = [];
  const stats: BatchStats = videoAnalytics.toValue({ code: 0, data }, itemIds, {
    fetchedAt: NOW,
    reportFields: (row, documented) => {
      unknownFields.push(...Object.keys(row ?? {}).filter((field) => !documented.has(field)));
    },
    reportDropped: (count) => void dropped.push(count),
  });
  return { stats: Object.fromEntries(stats), dropped, unknownFields };
}

/** The numbers of a row with changes. */
function readRow(overrides: Record<string, unknown>) {
  return read([makeRow(overrides)]).stats[ID];
}

describe('videoAnalytics', () => {
  it('asks for a batch in one request, for 1 credit', () => {
    expect(videoAnalytics.toPath([ID, OTHER])).toBe(
      `/v1/tiktok/video/detail/analytics?video_ids=${ID},${OTHER}`,
    );
    expect(videoAnalytics.credits).toBe(1);
  });

  it('maps a row of the contract', () => {
    expect(read([makeRow()])).toEqual({ stats: { [ID]: STATS }, dropped: [], unknownFields: [] });
  });

  it('finds the rows of its videos in any order, and ignores those of others', () => {
    const rows = [
      makeRow({ video_id: '3' }),
      makeRow({ video_id: OTHER, total_views_cnt: 2 }),
      makeRow({ total_views_cnt: 1 }),
    ];
    const { stats, dropped } = read(rows, [ID, OTHER]);
    expect(Object.keys(stats).sort()).toEqual([ID, OTHER].sort());
    expect([stats[ID]?.views, stats[OTHER]?.views, dropped]).toEqual([1, 2, []]);
  });

  it('gives null for a video that KeyAPI does not know, and so for all of an empty list', () => {
    expect(read([makeRow()], [OTHER, ID]).stats).toEqual({ [OTHER]: null, [ID]: STATS });
    expect(read([], [ID, OTHER]).stats).toEqual({ [ID]: null, [OTHER]: null });
  });

  it('reads a single object in place of a list', () => {
    expect(read(makeRow(), [OTHER, ID]).stats).toEqual({ [OTHER]: null, [ID]: STATS });
  });

  it.each([
    [0, 0],
    ['0', 0],
    ['12345', 12_345],
    ['007', 7],
    [2 ** 31, 2 ** 31],
    [String(2 ** 31), 2 ** 31],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
    [String(Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER],
    [2 ** 53, null],
    [String(2 ** 53), null],
    ['99999999999999999999', null],
    [-1, null],
    ['-1', null],
    [1.5, null],
    ['1.5', null],
    ['1e3', null],
    [' 1', null],
    ['', null],
    ['many', null],
    [null, null],
    [undefined, null],
    [true, null],
    [[1], null],
    [{}, null],
  ])('reads the count %j as %j', (count, expected) => {
    const fields = ['views', 'digg', 'comments', 'shares', 'favorites'];
    const counts = Object.fromEntries(fields.map((field) => [`total_${field}_cnt`, count]));
    const all = { views: expected, likes: expected, comments: expected, shares: expected };
    expect(readRow(counts)).toEqual({ ...STATS, ...all, favorites: expected });
  });

  it.each([
    ['1773831925', 1_773_831_925_000],
    [1_773_831_925, 1_773_831_925_000],
    ['0', 0],
    ['253402300799', Date.UTC(9999, 11, 31, 23, 59, 59)],
    ['253402300800', null],
    ['-1', null],
    ['2026-01-01', null],
    [1.5, null],
    [null, null],
    [undefined, null],
  ])('reads the time %j as %j', (create_time, publishedAt) => {
    expect(readRow({ create_time })).toEqual({ ...STATS, publishedAt });
  });

  it.each([
    ['null', null],
    ['a string', 'a row'],
    ['a list', [ID]],
    ['an empty object', {}],
    ['no id', makeRow({ video_id: undefined })],
    ['an id that is not a number', makeRow({ video_id: 'abc' })],
    ['an id that lost digits as a number', makeRow({ video_id: 7.618550044995669e18 })],
  ])('drops an unreadable row, and reports it: %s', (_name, row) => {
    const { stats, dropped } = read([row, makeRow(), row]);
    expect([stats, dropped]).toEqual([{ [ID]: STATS }, [2]]);
  });

  it.each([
    ['rows of other videos', [makeRow({ video_id: OTHER })]],
    ['the row of another video', makeRow({ video_id: OTHER })],
    ['rows without an id', [makeRow({ video_id: null }), {}]],
    ['an empty object', {}],
  ])('rejects a payload with nothing but %s', (_name, data) => {
    expect(() => read(data)).toThrow(/^data: expected a row of a requested video/);
  });

  it.each([null, undefined, 'text', 0, true])(
    'rejects data that is neither a list nor an object: %j',
    (data) => {
      expect(() => read(data)).toThrow(/data/);
    },
  );

  it('reports fields that KeyAPI does not document', () => {
    const { stats, unknownFields } = read([makeRow({ total_clones_cnt: 1 })]);
    expect([stats, unknownFields]).toEqual([{ [ID]: STATS }, ['total_clones_cnt']]);
  });

  it('gives only values that the scalars can serialise, whatever upstream sends', () => {
    const anything = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.bigInt().map(String));
    const fields = Object.keys(makeRow()).filter((field) => field !== 'video_id');
    const row = fc.record(Object.fromEntries(fields.map((field) => [field, anything])), { requiredKeys: [] });
    fc.assert(
      fc.property(row, (overrides) => {
        const stats = readRow(overrides);
        expect(stats).toBeTruthy();
        const { publishedAt, fetchedAt, ...counts } = stats as VideoStats;
        for (const count of Object.values(counts)) {
          if (count !== null) expect(GraphQLSafeInt.serialize(count)).toBe(count);
        }
        for (const time of [publishedAt, fetchedAt]) {
          if (time !== null) expect(JSON.stringify(GraphQLDateTime.serialize(time))).toMatch(/^"\d{4}-/);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('reads, or rejects with a reason, whatever JSON comes in place of the payload', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (data) => {
        try {
          expect(Object.keys(read(data).stats)).toEqual([ID]);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
    );
  });
});
