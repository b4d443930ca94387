import { describe, expect, it } from '@jest/globals';
import { decodeStats, encodeStats, type StatsValue } from '../../../src/data/redis/statsValue.ts';
import { fc } from '../../support/fastCheck.ts';

const HEAD = '1700000000000 1700000060000 0 42';

function decode(text: string, itemId = '42'): StatsValue | undefined {
  return decodeStats(Buffer.from(text), itemId);
}

describe('the value of numbers in Redis', () => {
  it('decodes to what was encoded', () => {
    const count = fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER }));
    const time = fc.nat({ max: Date.UTC(10_000, 0, 1) - 1 });
    const stats = fc.record({
      views: count,
      likes: count,
      comments: count,
      shares: count,
      favorites: count,
      publishedAt: fc.option(time),
      fetchedAt: time,
    });
    const value = fc
      .record({
        itemId: fc.stringMatching(/^\d{1,20}$/),
        stats: fc.option(stats),
        fetchedAt: time,
        freshUntil: time,
        isRefused: fc.boolean(),
      })
      .filter((one) => !(one.isRefused && one.stats));
    const property = fc.property(value, (one) => {
      expect(decode(encodeStats(one), one.itemId)).toEqual(one);
    });
    fc.assert(property);
  });

  it('is a line that scripts read, then JSON', () => {
    const times = { fetchedAt: 1_700_000_000_000.4, freshUntil: 1_700_000_060_000 };
    const unknown = { itemId: '42', stats: null, ...times, isRefused: false };
    expect(encodeStats(unknown)).toBe(`${HEAD}\nnull`);
  });

  it.each([
    '',
    HEAD,
    'garbage',
    `${HEAD}\n`,
    `${HEAD}\n{}`,
    `${HEAD}\n[]`,
    `${HEAD}\n[1,2,3,4,5,6]`,
    `${HEAD}\n[1,2,3,4,5,6,7,8]`,
    `${HEAD}\n["1",2,3,4,5,6,7]`,
    `${HEAD}\n[-1,2,3,4,5,6,7]`,
    `${HEAD}\n[1,2,3,4,5,6,null]`,
    `${HEAD}\n[1,2,3,4,5,${Date.UTC(10_000, 0, 1)},7]`,
    `1700000000000 1700000060000 2 42\nnull`,
    `-1 1700000060000 0 42\nnull`,
    `1700000000000 1700000060000 0 43\nnull`,
    `1700000000000 1700000060000 1 42\n[1,2,3,4,5,6,7]`,
    `x${HEAD}\nnull`,
  ])('is absent when it is malformed, or of another video: %j', (text) => {
    expect(decode(text)).toBeUndefined();
    expect(decode(`${HEAD}\n[1,2,null,4,5,null,7]`)).toMatchObject({ stats: { views: 1, comments: null } });
  });
});
