import { describe, expect, it } from '@jest/globals';
import type { Page } from '../../../src/domain/page.ts';
import { trendingVideos } from '../../../src/keyapi/endpoints/trendingVideos.ts';
import { US_VIEWS } from '../../support/charts.ts';

/** Reads page 2 from a payload. */
function readPayload(data: unknown): Page {
  return trendingVideos.toValue(
    { code: 0, data },
    { chart: US_VIEWS, number: 2 },
    { fetchedAt: 0, reportFields: () => undefined, reportDropped: () => undefined },
  );
}

const PAGINATION = { has_more: true, limit: 20, page: 2, total_count: 500 };

function read(pagination: object): Page {
  return readPayload({ pagination: { ...PAGINATION, ...pagination }, videos: [] });
}

describe('trendingVideos', () => {
  it.each([
    [true, true],
    [false, false],
    [1, true],
    [0, false],
    ['true', true],
    ['False', false],
    ['TRUE', true],
    ['1', true],
    ['0', false],
  ])('reads has_more: %j', (has_more, expected) => {
    expect(read({ has_more }).hasMore).toBe(expected);
  });

  it.each([
    [{ total_count: 500 }, true],
    [{ total_count: 41 }, true],
    [{ total_count: 40 }, false],
    [{ total_count: 40, limit: 10 }, true],
    [{ total_count: '20', limit: '10' }, false],
    [{ total_count: 41, limit: 100 }, true],
    [{ total_count: 0 }, false],
  ])('derives has_more where it is absent or null: %j', (pagination, expected) => {
    expect(read({ ...pagination, has_more: undefined }).hasMore).toBe(expected);
    expect(read({ ...pagination, has_more: null }).hasMore).toBe(expected);
  });

  it.each([2, -1, 'yes', '', 'null', [], {}])('rejects has_more: %j', (has_more) => {
    expect(() => read({ has_more })).toThrow(/has_more/);
  });

  it('reads null as an empty list of videos', () => {
    expect(readPayload({ pagination: PAGINATION, videos: null }).rows).toEqual([]);
  });

  it.each([{}, { videos: {} }, { videos: '[]' }])(
    'rejects a payload without a list of videos: %j',
    (videos) => {
      expect(() => readPayload({ pagination: PAGINATION, ...videos })).toThrow(/videos/);
    },
  );
});
