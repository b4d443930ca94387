import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';
import type { VideoStats } from '../../domain/videoStats.ts';
import { statsFields } from '../storedFields.ts';

/**
 * The value of the numbers on a video in Redis: a line `fetchedAt freshUntil isRefused itemId`, which the scripts read, then
 * the numbers as JSON, null when KeyAPI does not know the video.
 */
export interface StatsValue {
  readonly itemId: string;
  readonly stats: VideoStats | null;
  /** Milliseconds of Redis's clock, as `freshUntil`. */
  readonly fetchedAt: number;
  readonly freshUntil: number;
  /** True when KeyAPI refuses requests for this video. */
  readonly isRefused: boolean;
}

const HEAD = /^(\d{1,16}) (\d{1,16}) ([01]) (\d{1,20})$/;

/** The numbers in this order. */
export const statsBody = z
  .tuple([
    statsFields.views,
    statsFields.likes,
    statsFields.comments,
    statsFields.shares,
    statsFields.favorites,
    statsFields.publishedAt,
    statsFields.fetchedAt,
  ])
  .nullable();
type Body = z.infer<typeof statsBody>;

/** Encodes a value. */
export function encodeStats({ itemId, stats, fetchedAt, freshUntil, isRefused }: StatsValue): string {
  const head = [Math.round(fetchedAt), Math.round(freshUntil), Number(isRefused), itemId].join(' ');
  return `${head}\n${JSON.stringify(toBody(stats))}`;
}

/** Decodes a value; undefined when it is malformed, or of another video. */
export function decodeStats(value: Buffer, itemId: string): StatsValue | undefined {
  const [line = '', json = ''] = value.toString().split('\n');
  const head = HEAD.exec(line);
  const body = statsBody.safeParse(parseJson(json));
  if (!head || !body.success || head[4] !== itemId) return undefined;
  const isRefused = head[3] === '1';
  if (isRefused && body.data) return undefined;
  const times = { fetchedAt: Number(head[1]), freshUntil: Number(head[2]) };
  return { itemId, stats: body.data && toStats(body.data), ...times, isRefused };
}

function toBody(stats: VideoStats | null): Body {
  if (!stats) return null;
  const { views, likes, comments, shares, favorites, publishedAt, fetchedAt } = stats;
  return [views, likes, comments, shares, favorites, publishedAt, fetchedAt];
}

function toStats(body: NonNullable<Body>): Required<VideoStats> {
  const [views, likes, comments, shares, favorites, publishedAt, fetchedAt] = body;
  return { views, likes, comments, shares, favorites, publishedAt, fetchedAt };
}
