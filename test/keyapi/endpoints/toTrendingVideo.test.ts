import { describe, expect, it } from '@jest/globals';
import { GraphQLCountryCode, GraphQLDateTime, GraphQLURL } from 'graphql-scalars';
import { toTrendingVideo } from '../../../src/keyapi/endpoints/toTrendingVideo.ts';
import { fc } from '../../support/fastCheck.ts';
import { makeRow } from '../../support/upstream.ts';

const ID = '7587114666132868383';
/** Before the cover of the row expires. */
const NOW = 1_770_000_000_000;

describe('toTrendingVideo', () => {
  it('maps a row of the contract', () => {
    expect(toTrendingVideo(makeRow(ID), NOW)).toEqual({
      id: Buffer.from(`TrendingVideo:${ID}`).toString('base64url'),
      itemId: ID,
      itemUrl: `https://www.tiktok.com/@mnm_pipi/video/${ID}`,
      title: 'This pup is living her best life. ... 🐶',
      cover: `https://p16-sign-va.tiktokcdn.com/${ID}~tplv-noop.image?dr=18692&x-expires=1770133396&x-signature=tTc%2B`,
      coverExpiresAt: 1_770_133_396_000,
      duration: 9,
      region: 'United States',
      countryCode: 'US',
      creator: { handle: 'mnm_pipi', url: 'https://www.tiktok.com/@mnm_pipi' },
    });
  });

  it.each([
    ['null', null],
    ['a string', 'a row'],
    ['a list', [ID]],
    ['an empty object', {}],
    ['no id', makeRow(ID, { item_id: undefined, id: undefined })],
    ['an id that is not a number', makeRow(ID, { item_id: 'abc', id: '' })],
    ['an id that lost digits as a number', makeRow(ID, { item_id: 7.587114666132868e18, id: null })],
    ['no item_url', makeRow(ID, { item_url: null })],
    ['an item_url that is not a URL', makeRow(ID, { item_url: '/@mnm_pipi/video/1' })],
    ['an item_url that runs code', makeRow(ID, { item_url: 'javascript:alert(1)' })],
  ])('drops an unreadable row: %s', (_name, row) => {
    expect(toTrendingVideo(row, NOW)).toBeNull();
  });

  it('gives null for a cover that had expired when it arrived', () => {
    const expiry = 1_770_133_396_000;
    expect(toTrendingVideo(makeRow(ID), expiry - 1)?.cover).toMatch(/^https:/);
    expect(toTrendingVideo(makeRow(ID), expiry)).toMatchObject({ cover: null, coverExpiresAt: expiry });
  });

  it.each([
    ['id instead of item_id', { item_id: null }, { itemId: ID }],
    ['an id that is a small number', { item_id: 42 }, { itemId: '42' }],
    ['a duration in text', { duration: '15' }, { duration: 15 }],
    ['a fractional duration', { duration: 9.6 }, { duration: 10 }],
    ['no duration', { duration: null }, { duration: 0 }],
    ['a duration that is not a number', { duration: 'long' }, { duration: 0 }],
    ['a negative duration', { duration: -1 }, { duration: 0 }],
    ['a duration beyond Int', { duration: 2 ** 31 }, { duration: 0 }],
    ['no title', { title: null }, { title: '' }],
    ['half of a surrogate pair', { title: 'a\ud83d' }, { title: 'a\ufffd' }],
    ['a cover that is not a URL', { cover: 'x' }, { cover: null, coverExpiresAt: null }],
    ['a cover that runs code', { cover: 'javascript:alert(1)' }, { cover: null, coverExpiresAt: null }],
    [
      'a cover that does not expire',
      { cover: 'https://a.example/b' },
      { cover: 'https://a.example/b', coverExpiresAt: null },
    ],
    [
      'a cover that expires beyond the range of dates',
      { cover: 'https://a.example/?x-expires=99999999999999' },
      { coverExpiresAt: null },
    ],
    ['a lower-case country', { country_code: 'us' }, { countryCode: 'US' }],
    ['an unknown country', { country_code: 'ZZ' }, { countryCode: null }],
    ['no country', { country_code: 7, region: null }, { countryCode: null, region: null }],
    ['an item_url without a creator', { item_url: 'https://www.tiktok.com/video/1' }, { creator: null }],
    ['an empty handle', { item_url: 'https://www.tiktok.com/@/video/1' }, { creator: null }],
    [
      'an escaped handle',
      { item_url: 'https://www.tiktok.com/@%E7%8C%AB/video/1' },
      { creator: { handle: '猫', url: 'https://www.tiktok.com/@%E7%8C%AB' } },
    ],
    ['a malformed escape', { item_url: 'https://www.tiktok.com/@%zz/video/1' }, { creator: null }],
  ])('reads %s', (_name, overrides, expected) => {
    expect(toTrendingVideo(makeRow(ID, overrides), NOW)).toMatchObject(expected);
  });

  it('gives only values that the scalars can serialise, links as they are, whatever upstream sends', () => {
    const anything = fc.oneof(
      fc.anything(),
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc.double(),
    );
    const row = fc.record(Object.fromEntries(Object.keys(makeRow(ID)).map((name) => [name, anything])), {
      requiredKeys: [],
    });
    fc.assert(
      fc.property(row, (overrides) => {
        const video = toTrendingVideo({ ...makeRow(ID), ...overrides }, NOW);
        if (video === null) return;
        for (const link of [video.itemUrl, video.cover, video.creator?.url ?? null])
          if (link !== null) expect(GraphQLURL.serialize(link)).toBe(link);
        if (video.countryCode !== null) GraphQLCountryCode.serialize(video.countryCode);
        if (video.coverExpiresAt !== null) {
          expect(JSON.stringify(GraphQLDateTime.serialize(video.coverExpiresAt))).toMatch(/^"\d{4}-/);
        }
        expect(Number.isInteger(video.duration)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
