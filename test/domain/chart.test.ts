import { describe, expect, it } from '@jest/globals';
import { GraphQLCountryCode } from 'graphql-scalars';
import { TrendingOrder, TrendingPeriod, toChart } from '../../src/domain/chart.ts';
import { isCountryCode } from '../../src/domain/countryCode.ts';

const LETTERS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];

function chart(region: string) {
  return toChart(region, TrendingPeriod.LAST_7_DAYS, TrendingOrder.VIEWS);
}

describe('isCountryCode', () => {
  it('accepts exactly the codes that the CountryCode scalar serialises', () => {
    const isSerialisable = (code: string): boolean => {
      try {
        return GraphQLCountryCode.serialize(code) === code;
      } catch {
        return false;
      }
    };
    const codes = LETTERS.flatMap((a) => LETTERS.map((b) => a + b));
    expect(codes.filter(isCountryCode)).toEqual(codes.filter(isSerialisable));
  });
});

describe('toChart', () => {
  it('treats us and US as the same chart', () => {
    expect(chart('us')).toEqual(chart('US'));
  });

  it.each(['ZZ', 'USA', 'U', '', ' US', 'ß', 'ﬁ', 'US\0', '__proto__'])('refuses %j', (region) => {
    expect(() => chart(region)).toThrow(
      `Argument "region": expected an ISO 3166-1 alpha-2 country code, but got: ${JSON.stringify(region)}`,
    );
  });
});
