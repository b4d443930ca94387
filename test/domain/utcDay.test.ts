import { describe, expect, it } from '@jest/globals';
import { parseUtcDay, toUtcDay } from '../../src/domain/utcDay.ts';

describe('parseUtcDay', () => {
  it.each([
    ['1970-01-01', 0],
    ['1970-01-02', 1],
    ['1969-12-31', -1],
    ['2024-02-29', toUtcDay(Date.UTC(2024, 1, 29, 23))],
  ])('reads %s', (date, day) => {
    expect(parseUtcDay(date)).toBe(day);
  });

  it.each(['', 'x', '2026', '2026-1-1', '2026-02-30', '2026-13-01', '2026-01-01T00:00:00Z', ' 2026-01-01'])(
    'does not read %j',
    (date) => {
      expect(parseUtcDay(date)).toBeUndefined();
    },
  );
});
