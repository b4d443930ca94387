import type { GraphQLResolveInfo } from 'graphql';
import type { FoundVideo } from '../../data/pages/pageStore.ts';
import { ApiError } from '../../domain/errors.ts';
import { decodeGlobalId } from '../../domain/globalId.ts';
import { quoteJson } from '../../domain/quote.ts';
import type { OperationContext } from '../context.ts';
import { readStats } from '../stats/readStats.ts';
import { toStatsNeed } from '../stats/statsNeed.ts';
import { TrendingVideoType } from '../types/trendingVideo.type.ts';

/** The result of a lookup: the video as it is on the newest page that has it, or null. */
export type LookupResult = TrendingVideoType | null;

/** A video that was found; null for one that was not, an error for a reference that cannot be resolved. */
type Found = FoundVideo | null | Error;

/** Finds a video by its global id; also null for anything that is not such an id. */
export async function findByGlobalId(id: string, { charts }: OperationContext): Promise<FoundVideo | null> {
  const itemId = decodeGlobalId('TrendingVideo', id);
  return itemId === undefined ? null : charts.findVideo(itemId);
}

/**
 * Finds what a reference of a federated graph names, by one of the type's keys.
 *
 * @throws {ApiError} `BAD_USER_INPUT` for a reference with neither key, or with one that is not an id.
 */
export async function findByReference(
  reference: unknown,
  context: OperationContext,
): Promise<FoundVideo | null> {
  const { __typename, itemId, id } = Object(reference) as Readonly<Record<string, unknown>>;
  const hasItemId = itemId !== undefined && itemId !== null;
  const key = toId(hasItemId ? itemId : id);
  if (__typename !== 'TrendingVideo' || key === undefined) {
    throw new ApiError('BAD_USER_INPUT', {
      message:
        'Argument "representations": expected a TrendingVideo with a string "itemId" or "id" (a number beyond ' +
        `2^53 - 1 has lost digits), but got: ${quoteJson(reference)}`,
    });
  }
  return hasItemId ? context.charts.findVideo(key) : findByGlobalId(key, context);
}

/** As `IdScalar` reads it. */
function toId(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Resolves a field that looks up one video. */
export async function resolveVideo(
  finding: Promise<FoundVideo | null>,
  context: OperationContext,
  info: GraphQLResolveInfo,
): Promise<LookupResult> {
  const [video] = await resolveVideos([finding], context, info);
  // Finding it does not fail.
  return video instanceof Error || !video ? null : video;
}

/** Resolves a field that looks up a list of videos, with the numbers on them if these are selected. */
export async function resolveVideos<TFound extends Found>(
  finding: readonly Promise<TFound>[],
  context: OperationContext,
  info: GraphQLResolveInfo,
): Promise<(LookupResult | Extract<TFound, Error>)[]> {
  const found = await Promise.all(finding);
  const videos: FoundVideo[] = found.filter((item) => isVideo(item));
  const stats = await readStats(videos, toStatsNeed(info.fieldNodes, info), context);
  return found.map((item) => {
    if (!isVideo(item)) return item as Extract<TFound, Error> | null;
    const { video } = item;
    return new TrendingVideoType(video, stats?.of(video.itemId));
  });
}

function isVideo(found: Found): found is FoundVideo {
  return found !== null && !(found instanceof Error);
}
