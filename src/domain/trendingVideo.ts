/** A video on a chart. The scalar of its GraphQL field can serialise every value. */
export interface TrendingVideo {
  /** Global id (Relay's Node); see `globalId.ts`. */
  readonly id: string;
  /** TikTok's own id: decimal digits, beyond 2^53. */
  readonly itemId: string;
  readonly itemUrl: string;
  readonly title: string;
  /** Signed link to the cover picture. */
  readonly cover: string | null;
  /** When `cover` stops working, in Unix milliseconds; null when the link does not say. */
  readonly coverExpiresAt: number | null;
  /** Seconds. */
  readonly duration: number;
  /** English name of the country. */
  readonly region: string | null;
  readonly countryCode: string | null;
  /** Null when `itemUrl` names no creator. */
  readonly creator: Creator | null;
}

/** Who posted a video. */
export interface Creator {
  /** Without the `@`. */
  readonly handle: string;
  readonly url: string;
}

/** True for TikTok's video ids: 1 to 20 decimal digits. */
export function isItemId(text: string): boolean {
  return /^\d{1,20}$/.test(text);
}
