import { ApiError } from '../../domain/errors.ts';
import { decodeGlobalId } from '../../domain/globalId.ts';
import { quoteJson } from '../../domain/quote.ts';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import type { OperationContext } from '../context.ts';

/** The result of a lookup: the video as it is on the newest page that has it, or null. */
export type LookupResult = TrendingVideo | null;

/** The video with this global id; also null for anything that is not such an id. */
export async function findByGlobalId(id: string, context: OperationContext): Promise<LookupResult> {
  const itemId = decodeGlobalId('TrendingVideo', id);
  return itemId === undefined ? null : context.charts.findVideo(itemId);
}

/**
 * Resolves a reference of a federated graph by one of the type's keys.
 *
 * @throws {ApiError} `BAD_USER_INPUT` for a reference with neither key, or with one that is not an id.
 */
export async function resolveReference(reference: unknown, context: OperationContext): Promise<LookupResult> {
  const { __typename, itemId, id } = Object(reference) as Readonly<Record<string, unknown>>;
  const hasItemId = itemId !== undefined && itemId !== null;
  const key = toId(hasItemId ? itemId : id);
  if (__typename !== 'TrendingVideo' || key === undefined) {
    throw new ApiError('BAD_USER_INPUT', {
      message:
        'Argument "representations": expected a TrendingVideo with its "itemId" or "id" as text (a number beyond ' +
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
