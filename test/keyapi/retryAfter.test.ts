import { expect, it } from '@jest/globals';
import { parseHttpDate, parseRetryAfter } from '../../src/keyapi/retryAfter.ts';

const NOW = Date.parse('Sun, 22 Nov 2026 10:00:00 GMT');

it.each([
  ['seconds', '7', 7],
  ['zero seconds', '0', 1],
  ['more seconds than the maximum', '3600', 120],
  ['a date', 'Sun, 22 Nov 2026 10:01:30 GMT', 90],
  ['a date in the obsolete format', 'Sunday, 22-Nov-26 10:00:05 GMT', 5],
  ['a date in the format of asctime', 'Sun Nov 22 10:00:05 2026', 5],
  ['a date that has passed', 'Sun, 22 Nov 2026 09:00:00 GMT', 1],
  ['a date too far ahead', 'Sun, 22 Nov 2026 11:00:00 GMT', 120],
  ['a missing header', undefined, undefined],
  ['an empty header', '', undefined],
  ['a fraction', '1.5', undefined],
  ['a negative number', '-5', undefined],
  ['words', 'soon', undefined],
  ['a huge number', '9'.repeat(40), 120],
])('reads %s', (_name, header, seconds) => {
  expect(parseRetryAfter(header, NOW)).toBe(seconds);
});

it('reads only dates in the format of HTTP', () => {
  expect(parseHttpDate('Sun, 22 Nov 2026 10:00:00 GMT')).toBe(NOW);
  expect([undefined, '', '7', '2026-11-22', 'Sunday'].map(parseHttpDate)).toEqual(Array(5).fill(undefined));
});
