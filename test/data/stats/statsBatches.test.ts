import { describe, expect, it } from '@jest/globals';
import { roomAfter, toBatches } from '../../../src/data/stats/statsBatches.ts';
import { range } from '../../support/charts.ts';

const ids = (from: number, to: number): string[] => range(from, to).map(String);
const none = (): boolean => false;

describe('toBatches', () => {
  it('divides videos among as few batches as possible, and fills the last one in the order given', () => {
    expect(toBatches(ids(1, 23), ids(30, 40), none)).toEqual({
      batches: [ids(1, 10), ids(11, 20), [...ids(21, 23), ...ids(30, 36)]],
      filled: ids(30, 36),
    });
  });

  it('fills nothing when there is no room, or nothing to fill it with', () => {
    expect(toBatches(ids(1, 10), ids(30, 40), none)).toEqual({ batches: [ids(1, 10)], filled: [] });
    expect(toBatches([], ids(30, 40), none)).toEqual({ batches: [], filled: [] });
    expect(toBatches(ids(1, 3), [], none)).toEqual({ batches: [ids(1, 3)], filled: [] });
  });

  it('gives a batch of its own to a video that KeyAPI refuses, and fills none with one', () => {
    const isRefused = (itemId: string): boolean => itemId === '2' || itemId === '5';
    expect(toBatches(ids(1, 3), ids(4, 6), isRefused)).toEqual({
      batches: [['1', '3', '4', '6'], ['2']],
      filled: ['4', '6'],
    });
  });
});

describe('roomAfter', () => {
  it('is what is left of the last batch', () => {
    expect([0, 1, 9, 10, 11].map(roomAfter)).toEqual([0, 9, 1, 0, 9]);
  });
});
