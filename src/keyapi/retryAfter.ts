/** The pause that KeyAPI advises after a 429 without `Retry-After`. */
const DEFAULT_SECONDS = 60;
/** The longest pause that is accepted from upstream. */
const MAX_SECONDS = 120;

/**
 * Whole seconds to wait, 1 to 120, from a `Retry-After` header: a number of seconds or an HTTP date (RFC 9110, section
 * 10.2.3). 60 when it is missing or unreadable.
 *
 * @param now Unix milliseconds.
 */
export function parseRetryAfter(header: string | undefined, now: number): number {
  return Math.min(Math.max(1, toSeconds(header?.trim() ?? '', now)), MAX_SECONDS);
}

function toSeconds(text: string, now: number): number {
  if (/^\d+$/.test(text)) return Number(text);
  // `Date.parse` accepts nearly anything as a date; an HTTP date begins with the name of a day.
  const date = /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? DEFAULT_SECONDS : Math.ceil((date - now) / 1000);
}
