import type { VideoOnPage } from '../../data/stats/statsCache.ts';
import { ApiError } from '../../domain/errors.ts';
import type { Page } from '../../domain/page.ts';
import type { ServedStats } from '../../domain/videoStats.ts';
import type { OperationContext } from '../context.ts';
import type { StatsNeed } from './statsNeed.ts';

/** The value of a video's field `stats`. */
type StatsValue = ServedStats | null | Error | undefined;

/** The numbers of the videos of a connection or list. */
export interface ListStats {
  /** True when some are unavailable. */
  readonly hasErrors: boolean;
  /**
   * The value of a video's field `stats`: the same object until the numbers change. The first video without numbers has the
   * error of the whole list. Of videos that are not in the list it is what is cached.
   */
  readonly of: (itemId: string) => StatsValue;
  /** The same object as long as the numbers on all videos of a page are cached, fresh and the same; else undefined. */
  readonly stampOf: (page: Page) => object | undefined;
}

/** Placeholder for the numbers where only their `__typename` is selected. */
const NAME_ONLY = {} as ServedStats;
const NAMES_ONLY: ListStats = { hasErrors: false, of: () => NAME_ONLY, stampOf: () => NAME_ONLY };

/**
 * Reads the numbers that are needed of these videos, all at once; undefined when none are. Never rejects because
 * numbers are unavailable: the videos are returned without them.
 */
export async function readStats(
  videos: readonly VideoOnPage[],
  need: StatsNeed,
  { stats }: OperationContext,
): Promise<ListStats | undefined> {
  if (need === 'nothing') return undefined;
  if (need === 'typename') return NAMES_ONLY;
  await stats.load(videos);
  const stampOf: ListStats['stampOf'] = (page) => stats.stampOf(page);
  const failed = stats.hasErrors
    ? videos.filter(({ video }) => stats.get(video.itemId) instanceof Error)
    : [];
  const [first] = failed;
  const error = first && stats.get(first.video.itemId);
  if (!first || !(error instanceof Error)) {
    return { hasErrors: false, of: (itemId) => withoutError(stats.get(itemId)), stampOf };
  }
  const listError = toListError(error, failed.length);
  return {
    hasErrors: true,
    of: (itemId) => (itemId === first.video.itemId ? listError : (withoutError(stats.get(itemId)) ?? null)),
    stampOf,
  };
}

/** An error is reported for the first video of a list alone. Videos that are not in the list may have some, too. */
function withoutError(found: StatsValue): StatsValue {
  return found instanceof Error ? undefined : found;
}

/** The error of a list, of which so many videos have no numbers. */
function toListError(error: Error, videos: number): Error {
  // A defect, of which clients learn nothing else.
  if (!(error instanceof ApiError)) return error;
  const { code, message, upstream, retryAfterSeconds, cause } = error;
  return new ApiError(code, { message, upstream, retryAfterSeconds, videos, cause });
}
