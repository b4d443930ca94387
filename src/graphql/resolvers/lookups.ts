import { inspect } from 'node:util';
import { ApiError } from '../../domain/errors.ts';
import { decodeGlobalId } from '../../domain/globalId.ts';
import { quote } from '../../domain/quote.ts';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import type { OperationContext } from '../context.ts';

/** What a lookup comes to: the video as it was on the newest page that has it, null where none has. */
export type Found = TrendingVideo | null;

/** The video with this global id; null also for what is no such id. */
export async function findByGlobalId(id: string, context: OperationContext): Promise<Found> {
  const itemId = decodeGlobalId('TrendingVideo', id);
  return itemId === undefined ? null : context.charts.findVideo(itemId);
}

/**
 * What a reference of a federated graph refers to, by one of the type's keys.
 *
 * @throws {ApiError} `BAD_USER_INPUT` for what has neither.
 */
export async function findReferred(reference: unknown, context: OperationContext): Promise<Found> {
  const { __typename, itemId, id } = Object(reference) as Readonly<Record<string, unknown>>;
  if (__typename === 'TrendingVideo' && typeof itemId === 'string') return context.charts.findVideo(itemId);
  if (__typename === 'TrendingVideo' && typeof id === 'string') return findByGlobalId(id, context);
  throw new ApiError('BAD_USER_INPUT', {
    message:
      'Argument "representations": expected a TrendingVideo with its "itemId" or "id" as a string, ' +
      // Whatever depth and size it has.
      `but got: ${quote(inspect(reference, { depth: 0, maxStringLength: 80, maxArrayLength: 3, breakLength: Infinity }))}`,
  });
}
