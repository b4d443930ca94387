import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Info, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { MAX_IDS } from '../limits/lookupLimit.ts';
import { IdScalar } from '../types/scalars.ts';
import { TrendingVideoType } from '../types/trendingVideo.type.ts';
import { type LookupResult, resolveVideo, resolveVideos } from './lookups.ts';

/** Resolves the fields that look up videos by TikTok's id. */
@Resolver()
export class LookupsResolver {
  @Query(() => TrendingVideoType, {
    nullable: true,
    description:
      'Looks up a video by its `itemId` in the cached pages of all charts, and returns the newest copy. Costs no ' +
      'credits, except for `stats`. Null if no cached page has the video: no page with it was fetched yet, or not ' +
      'for a long time.',
  })
  trendingVideo(
    @Arg('itemId', () => IdScalar, { description: "TikTok's id of the video, as in `TrendingVideo.itemId`." })
    itemId: string,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult> {
    return resolveVideo(context.charts.findVideo(itemId), context, info);
  }

  @Query(() => [TrendingVideoType], {
    nullable: 'items',
    description:
      'Looks up several videos like `trendingVideo`. The list has one entry for each id, in the same order; the ' +
      'entry is null if no cached page has the video. A stitching gateway can use this field to resolve all ' +
      'references of a query in one request.',
  })
  trendingVideosByItemId(
    @Arg('itemIds', () => [IdScalar], { description: `TikTok's ids of the videos, ${MAX_IDS} at most.` })
    itemIds: string[],
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult[]> {
    return resolveVideos(itemIds.map(context.charts.findVideo), context, info);
  }
}
