import { describe, expect, it } from '@jest/globals';
import { type Chart, chartId, TrendingOrder, TrendingPeriod } from '../../src/domain/chart.ts';
import { decodeCursor, encodeCursor } from '../../src/domain/cursor.ts';
import { US_VIEWS } from '../support/charts.ts';
import { fc } from '../support/fastCheck.ts';

const chart: fc.Arbitrary<Chart> = fc.record({
  region: fc.constantFrom('US', 'GB', 'DE'),
  period: fc.constantFrom(...Object.values(TrendingPeriod)),
  orderBy: fc.constantFrom(...Object.values(TrendingOrder)),
});
const cursor = fc.record({
  rank: fc.integer({ min: 1, max: 999_999 }),
  itemId: fc.option(fc.stringMatching(/^\d{1,20}$/)),
});

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

describe('decodeCursor', () => {
  it('returns what was encoded', () => {
    fc.assert(
      fc.property(chart, cursor, (anyChart, anyCursor) => {
        expect(decodeCursor(anyChart, encodeCursor(anyChart, anyCursor), 'after')).toEqual(anyCursor);
      }),
    );
  });

  it('accepts only a cursor of the same chart', () => {
    fc.assert(
      fc.property(chart, chart, cursor, (a, b, anyCursor) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        const text = encodeCursor(a, anyCursor);
        expect(() => decodeCursor(b, text, 'after')).toThrow(
          `expected a cursor of the chart ${chartId(b)}, but got one of the chart ${chartId(a)}: "${text}"`,
        );
      }),
    );
  });

  it('accepts only text that encodeCursor could have written', () => {
    const mutated = fc
      .tuple(cursor, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }))
      .map(([any, at, text]) => {
        const encoded = encodeCursor(US_VIEWS, any);
        return encoded.slice(0, at % encoded.length) + text + encoded.slice((at % encoded.length) + 1);
      });
    fc.assert(
      fc.property(mutated, (text) => {
        try {
          expect(encodeCursor(US_VIEWS, decodeCursor(US_VIEWS, text, 'after'))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('rejects arbitrary text, even if it is base64', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), fc.string().map(base64url)),
        (text) => {
          expect(() => decodeCursor(US_VIEWS, text, 'after')).toThrow(/^Argument "after": expected a cursor/);
        },
      ),
    );
  });

  const good = encodeCursor(US_VIEWS, { rank: 20, itemId: '7587114666132868383' });
  it.each([
    ['padding', `${good}==`],
    ['white space', `${good.slice(0, 8)} ${good.slice(8)}`],
    ['the other base64 alphabet', base64url('1|US:7:VIEWS|20|>>>').replaceAll('-', '+')],
    ['trailing text', `${good}AAAA`],
    ['a leading zero', base64url('1|US:7:VIEWS|020|7587114666132868383')],
    ['rank 0', base64url('1|US:7:VIEWS|0|7587114666132868383')],
    ['a negative rank', base64url('1|US:7:VIEWS|-1|7587114666132868383')],
    ['a rank beyond any chart', base64url('1|US:7:VIEWS|1000000|7587114666132868383')],
    ['a fraction', base64url('1|US:7:VIEWS|1.5|7587114666132868383')],
    ['an invalid id', base64url('1|US:7:VIEWS|20|abc')],
    ['another version', base64url('2|US:7:VIEWS|20|7587114666132868383')],
    ['an extra field', base64url('1|US:7:VIEWS|20|7587114666132868383|x')],
    ['a missing field', base64url('1|US:7:VIEWS|20')],
    ['a country that does not exist', base64url('1|ZZ:7:VIEWS|20|7587114666132868383')],
    ['a chart that does not exist', base64url('1|GB:8:VIEWS|20|7587114666132868383')],
    ['another chart in another version', base64url('2|GB:30:LIKES|20|7587114666132868383')],
    ['another chart with padding', `${base64url('1|GB:30:LIKES|20|')}=`],
    ['a lower-case region', base64url('1|us:7:VIEWS|20|7587114666132868383')],
    ['nothing but a space', ' '],
  ])('refuses %s', (_name, text) => {
    expect(() => decodeCursor(US_VIEWS, text, 'before')).toThrow(
      /^Argument "before": expected a cursor that this API returned, but got: "/,
    );
  });

  it('names both charts for a cursor of another chart', () => {
    const text = encodeCursor({ region: 'GB', period: 30, orderBy: 'LIKES' }, { rank: 1, itemId: null });
    expect(() => decodeCursor(US_VIEWS, text, 'after')).toThrow(
      `Argument "after": expected a cursor of the chart US:7:VIEWS, but got one of the chart GB:30:LIKES: "${text}"`,
    );
  });

  it('quotes at most 80 characters of the text', () => {
    expect(() => decodeCursor(US_VIEWS, 'x'.repeat(5000), 'after')).toThrow(
      `Argument "after": expected a cursor that this API returned, but got: "${'x'.repeat(80)}…"`,
    );
  });
});
