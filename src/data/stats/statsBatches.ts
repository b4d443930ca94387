import { MAX_BATCH, type StatsBatch } from '../../domain/videoStats.ts';

/** Batches to buy, and the videos in them that only fill them. */
interface StatsBatches {
  readonly batches: readonly StatsBatch[];
  readonly filled: readonly string[];
}

/**
 * Divides videos among as few batches as possible; the room that is left in the last one goes to `others`, in their
 * order.
 *
 * @param isRefused Whether KeyAPI refuses requests for a video: it then gets a separate batch, and fills none.
 */
export function toBatches(
  itemIds: readonly string[],
  others: readonly string[],
  isRefused: (itemId: string) => boolean,
): StatsBatches {
  const alone = itemIds.filter(isRefused);
  const together = itemIds.filter((itemId) => !isRefused(itemId));
  const filled = others.filter((itemId) => !isRefused(itemId)).slice(0, roomAfter(together.length));
  const all = [...together, ...filled];
  const batches = Array.from({ length: Math.ceil(all.length / MAX_BATCH) }, (_, index) =>
    all.slice(index * MAX_BATCH, (index + 1) * MAX_BATCH),
  );
  return { batches: [...batches, ...alone.map((itemId) => [itemId])], filled };
}

/** How many videos the last of the batches that take `count` videos has room for. */
export function roomAfter(count: number): number {
  return Math.ceil(count / MAX_BATCH) * MAX_BATCH - count;
}
