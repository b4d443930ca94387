/** Length of a UTC day in milliseconds. */
export const DAY_MS = 86_400_000;

/** A UTC day as ISO 8601 writes it, such as `2026-11-22`. */
export function toIsoDate(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/**
 * The UTC day of a moment, in days since 1970-01-01.
 *
 * @param now Unix milliseconds.
 */
export function toUtcDay(now: number): number {
  return Math.floor(now / DAY_MS);
}

/** The UTC day of a date such as `2026-01-31`; undefined for any other text. */
export function parseUtcDay(date: string): number | undefined {
  const day = toUtcDay(Date.parse(date));
  // Some dates that do not exist, such as the 30th of February, are read as later ones.
  return !Number.isNaN(day) && toIsoDate(day) === date ? day : undefined;
}
