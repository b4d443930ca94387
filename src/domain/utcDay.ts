/** Length of a UTC day in milliseconds. */
export const DAY_MS = 86_400_000;

/**
 * The UTC day of a moment, in days since 1970-01-01.
 *
 * @param now Unix milliseconds.
 */
export function toUtcDay(now: number): number {
  return Math.floor(now / DAY_MS);
}
