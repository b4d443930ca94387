import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  createRateLimiter,
  IMPORTED_COUNT_TTL_MS,
  type RateLimiter,
} from '../../../src/server/protection/rateLimiter.ts';
import { fc } from '../../support/fastCheck.ts';

let now: number;
let limiter: RateLimiter;

beforeEach(() => {
  now = 500;
  limiter = createRateLimiter(3, () => now);
});

function take(count: number, client = 'a'): boolean[] {
  return Array.from({ length: count }, () => limiter.take(client).isGranted);
}

describe('the rate limiter', () => {
  it('grants a client its limit at once, then nothing until the minute is over', () => {
    expect(take(5)).toEqual([true, true, true, false, false]);
    now = 60_999;
    expect(take(1)).toEqual([false]);
    now = 61_000;
    expect(take(4)).toEqual([true, true, true, false]);
  });

  it('reports how many requests are left, and when more are allowed', () => {
    expect(limiter.take('a')).toEqual({ isGranted: true, remaining: 2, resetSeconds: 61 });
    now = 30_000;
    limiter.take('a');
    expect(limiter.take('a')).toEqual({ isGranted: true, remaining: 0, resetSeconds: 31 });
    const { isGranted, resetSeconds } = limiter.take('a');
    expect(isGranted).toBe(false);
    now += resetSeconds * 1000;
    expect(limiter.take('a')).toEqual({ isGranted: true, remaining: 0, resetSeconds: 30 });
  });

  it('counts each client separately', () => {
    expect([...take(4), ...take(4, 'b')].filter(Boolean)).toHaveLength(6);
  });

  it('never grants more than the limit in any minute, whatever the pauses between requests', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 25_000 }), { maxLength: 60 });
    fc.assert(
      fc.property(pauses, (steps) => {
        let at = 0;
        const one = createRateLimiter(3, () => at);
        const granted = steps.flatMap((step) => {
          at += step;
          return one.take('a').isGranted ? [at] : [];
        });
        for (const start of granted) {
          const inMinute = granted.filter((time) => time >= start && time < start + 60_000);
          expect(inMinute.length).toBeLessThanOrEqual(3);
        }
      }),
    );
  });

  it('counts what other replicas report, until that expires', () => {
    take(1);
    limiter.importCounts(
      new Map([
        ['a', 2],
        ['nobody', 9],
      ]),
    );
    expect(limiter.take('a')).toEqual({ isGranted: false, remaining: 0, resetSeconds: 61 });
    now += IMPORTED_COUNT_TTL_MS;
    expect(take(3)).toEqual([true, true, false]);
  });

  it('exports the counts of busier clients, the busiest first', () => {
    limiter = createRateLimiter(100, () => now);
    take(4, 'rarely');
    take(5, 'often');
    take(50, 'most');
    expect([...limiter.exportCounts()]).toEqual([
      ['most', 50],
      ['often', 5],
    ]);
    now += 61_000;
    expect([...limiter.exportCounts()]).toEqual([]);
  });

  it('forgets the least recently active clients when there are too many', () => {
    take(3, 'early');
    for (let index = 0; index < 20_000; index++) limiter.take(`address-${index}`);
    expect(take(1, 'early')).toEqual([true]);
    expect(limiter.exportCounts().size).toBe(500);
  });
});
