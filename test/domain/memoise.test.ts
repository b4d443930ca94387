import { describe, expect, it } from '@jest/globals';
import { memoise } from '../../src/domain/memoise.ts';

describe('memoise', () => {
  it('computes a value once for each object, falsy ones too', () => {
    const inputs: (readonly number[])[] = [];
    const sumFrom = memoise((numbers: readonly number[], start: number) => {
      inputs.push(numbers);
      return numbers.reduce((sum, number) => sum + number, start);
    });
    const [none, some] = [[], [1, 2]];
    expect([none, some, none, some].map((numbers) => sumFrom(numbers, 0))).toEqual([0, 3, 0, 3]);
    expect(inputs).toEqual([none, some]);
    expect(sumFrom([1, 2], 10)).toBe(13);
  });
});
