/** The pause that KeyAPI advises after a 429 without `Retry-After`, in seconds. */
export const RATE_LIMIT_SECONDS = 60;
/** The longest pause that is accepted from upstream. */
const MAX_SECONDS = 120;

/**
 * Whole seconds to wait, 1 to 120, from a `Retry-After` header: a number of seconds or an HTTP date (RFC 9110, section
 * 10.2.3). Undefined when it is missing or unreadable.
 *
 * @param sentAt When the response was sent, in Unix milliseconds: by upstream's clock, which a date is read against.
 */
export function parseRetryAfter(header: string | undefined, sentAt: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^\d+$/.test(text)) return clamp(Number(text));
  const date = parseHttpDate(text);
  return date === undefined ? undefined : clamp(Math.ceil((date - sentAt) / 1000));
}

/** An HTTP date in Unix milliseconds; undefined when it is missing or unreadable. */
export function parseHttpDate(header: string | undefined): number | undefined {
  const text = header?.trim() ?? '';
  // `Date.parse` accepts nearly anything as a date; an HTTP date begins with the name of a day.
  const isDate = /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text);
  // One of the obsolete formats has no time zone: all of them are in GMT.
  const date = isDate ? Date.parse(/GMT$/i.test(text) ? text : `${text} GMT`) : Number.NaN;
  return Number.isNaN(date) ? undefined : date;
}

function clamp(seconds: number): number {
  return Math.min(Math.max(1, seconds), MAX_SECONDS);
}
