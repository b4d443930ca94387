import { deflateSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { decodeValue, encodeBody } from '../../../src/data/redis/pageValue.ts';
import type { Page } from '../../../src/domain/page.ts';
import { makePage, makeVideo, makeVideos, US_VIEWS } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';
import { key } from '../../support/sources.ts';

const video = {
  ...makeVideo(7),
  title: 'A "title" ❤️‍🩹 \0 and\nmore',
  cover: 'https://p16.tiktokcdn.com/a?x-expires=1770133396&x-signature=t%2B',
  coverExpiresAt: 1_770_133_396_000,
  region: 'United States',
  countryCode: 'US',
  creator: { handle: 'mnm_pipi', url: 'https://www.tiktok.com/@mnm_pipi' },
};
const rows = [video, null, ...makeVideos(101, 118)];
/** A page as a source returns it, without what a store assigns. */
const { sequence: _1, generation: _2, freshUntil: _3, coversUntil: _4, ...page } = makePage(rows, 1, 20);

function makeValue(
  body: Buffer,
  head = '1770000000000000 1769999999000000 1770003600000 0 US:7:VIEWS:1',
): Buffer {
  return Buffer.concat([Buffer.from(`${head}\n`), body]);
}

describe('a page in Redis', () => {
  it('is decoded as it was encoded, with its sequence number, generation and expiry', () => {
    expect(decodeValue(makeValue(encodeBody(page)), key())).toEqual({
      page,
      sequence: 1_770_000_000_000_000,
      generation: 1_769_999_999_000_000,
      freshUntil: 1_770_003_600_000,
      replaces: false,
    });
  });

  it('takes less than half the size of its JSON', () => {
    const text = JSON.stringify({ ...page, rows: makeVideos(1, 20) });
    expect(encodeBody({ ...page, rows: makeVideos(1, 20) }).length).toBeLessThan(text.length / 2);
  });

  it('is rejected when its body is damaged or cut off', () => {
    const value = makeValue(encodeBody(page));
    const start = value.indexOf('\n') + 1;
    fc.assert(
      fc.property(
        fc.integer({ min: start, max: value.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, flip) => {
          const damaged = Buffer.from(value);
          damaged[at] = (damaged[at] ?? 0) ^ flip;
          const decoded = decodeValue(damaged, key());
          // A few bits of the zlib header have no effect.
          if (decoded) expect(decoded.page).toEqual(page);
          expect(decodeValue(value.subarray(0, at), key())).toBeUndefined();
        },
      ),
    );
  });

  it('is rejected under the key of another page', () => {
    const body = encodeBody(page);
    expect(decodeValue(makeValue(body), key(2))).toBeUndefined();
    expect(decodeValue(makeValue(body), { ...key(), chart: { ...US_VIEWS, region: 'DE' } })).toBeUndefined();
    const renamed = makeValue(body, '1770000000000000 1769999999000000 1770003600000 0 US:7:VIEWS:2');
    expect(decodeValue(renamed, key(2))).toBeUndefined();
  });

  it('is decoded when it was written by hand in this format', () => {
    expect(decodeValue(makeValue(deflateSync(inflated(video))), key())?.page.rows).toEqual([video]);
  });

  it.each<[string, (page: Page) => unknown]>([
    ['another shape', (good) => ({ ...good, rows: undefined })],
    ['a row of another shape', (good) => ({ ...good, rows: [['1', 'https://a.test/']] })],
    ['an invalid id', () => JSON.parse(inflated({ ...video, itemId: '<script>' }))],
    ['an invalid URL', () => JSON.parse(inflated({ ...video, itemUrl: 'nowhere' }))],
    ['an invalid country code', () => JSON.parse(inflated({ ...video, countryCode: 'ZZ' }))],
    ['an invalid date', (good) => ({ ...JSON.parse(inflated(video)), fetchedAt: good.fetchedAt + 1e18 })],
    ['no object', () => null],
  ])('is rejected when it has %s', (_what, change) => {
    const body = deflateSync(JSON.stringify(change(page)));
    expect(decodeValue(makeValue(body), key())).toBeUndefined();
  });

  it.each(['', '\n', 'garbage', '1 2 3 0 US:7:VIEWS:1', '1 2 3 2 US:7:VIEWS:1\n'])(
    'is rejected when its value is %j',
    (text) => {
      expect(decodeValue(Buffer.from(text), key())).toBeUndefined();
    },
  );

  it('is rejected when it inflates beyond the limit', () => {
    expect(decodeValue(makeValue(deflateSync(Buffer.alloc(50_000_000))), key())).toBeUndefined();
  });
});

/** The JSON of a page with this one row, as it is stored in Redis, uncompressed. */
function inflated(row: typeof video): string {
  const { itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode, creator } = row;
  const tuple = [itemId, itemUrl, title, cover, coverExpiresAt, duration, region, countryCode];
  return JSON.stringify({ ...page, rows: [[...tuple, [creator.handle, creator.url]]] });
}
