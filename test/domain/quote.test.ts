import { describe, expect, it } from '@jest/globals';
import { quoteJson } from '../../src/domain/quote.ts';
import { fc } from '../support/fastCheck.ts';

describe('quoteJson', () => {
  it('writes what JSON.stringify writes, and cuts it off after 80 characters', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const json = JSON.stringify(JSON.parse(JSON.stringify(value)));
        expect(quoteJson(JSON.parse(json))).toBe(json.length > 80 ? `${json.slice(0, 80)}…` : json);
      }),
      { numRuns: 500 },
    );
  });

  it('bounds a value of any depth and size', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = level % 2 ? [deep] : { a: deep };
    const values = [deep, Array(1_000_000).fill('x'), { ['k'.repeat(1_000_000)]: 1 }, 'x'.repeat(1_000_000)];
    for (const value of values) expect(quoteJson(value)).toMatch(/^.{80}…$/);
  });

  it('visits no more of a value than it shows', () => {
    const unread = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('visited');
        },
      },
    );
    expect(quoteJson(['x'.repeat(80), unread])).toBe(`["${'x'.repeat(78)}…`);
  });

  it('cuts no character in two', () => {
    expect(quoteJson(`${'x'.repeat(78)}🐶`)).toBe(`"${'x'.repeat(78)}…`);
  });

  it.each([[{ a: undefined, b: 1, c: undefined, d: { e: undefined } }], [[undefined, null, 1]]])(
    'drops what is undefined as JSON.stringify does: %j',
    (value) => expect(quoteJson(value)).toBe(JSON.stringify(value)),
  );

  it('shows numbers that JSON does not have', () => {
    expect(quoteJson({ itemId: Number.POSITIVE_INFINITY })).toBe('{"itemId":Infinity}');
  });
});
