/** The pause that KeyAPI advises after a 429 unless told otherwise. */
const DEFAULT_SECONDS = 60;

/**
 * Whole seconds to wait, from a `Retry-After` header: a number of seconds or an HTTP date (RFC 9110, section
 * 10.2.3). 60 when it is missing or unreadable, 0 when the date has passed.
 *
 * @param now Unix milliseconds.
 */
export function parseRetryAfter(header: string | undefined, now: number): number {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  // `Date.parse` takes nearly anything for a date; an HTTP date begins with a day's name.
  const date = /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date)) return DEFAULT_SECONDS;
  return Math.max(0, Math.ceil((date - now) / 1000));
}
