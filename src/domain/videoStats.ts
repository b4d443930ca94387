import type { Endpoint } from './endpoint.ts';

/** Numbers on a video, as KeyAPI has them: about a day old. The scalar of each GraphQL field can serialise its value. */
export interface VideoStats {
  /** Times it was played; null when KeyAPI does not send it, as each of these counts. */
  readonly views: number | null;
  readonly likes: number | null;
  readonly comments: number | null;
  readonly shares: number | null;
  /** How often it was saved as a favorite. */
  readonly favorites: number | null;
  /** When the video was posted, in Unix milliseconds; null when KeyAPI does not say. */
  readonly publishedAt: number | null;
  /** When these numbers were fetched, in Unix milliseconds. */
  readonly fetchedAt: number;
}

/** Numbers as they are served. */
export interface ServedStats extends VideoStats {
  /** True when they are past their time to live. */
  readonly stale: boolean;
}

/** Item ids of the videos in one request: at most `MAX_BATCH`, each once. */
export type StatsBatch = readonly string[];

/** What a request for a batch gives: the numbers of each of its videos, null for one that KeyAPI does not know. */
export type BatchStats = ReadonlyMap<string, VideoStats | null>;

/** Videos in one request, which costs the same for one as for all of them. */
export const MAX_BATCH = 10;

/** KeyAPI's endpoint for numbers on videos. */
export const statsEndpoint: Endpoint<StatsBatch> = {
  name: 'videoAnalytics',
  credits: 1,
  priority: 0,
  // All requests have the same form: a refusal, or a response that cannot be read, is about the endpoint, not about the
  // batch.
  pauses: { codes: ['UPSTREAM_FORBIDDEN', 'UPSTREAM_BAD_RESPONSE'], maxSeconds: 3600 },
  toId: (itemIds) => itemIds.join(),
  describe: (itemIds) => ({ itemIds: itemIds.join() }),
};
