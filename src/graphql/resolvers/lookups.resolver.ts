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
      'A video by its `itemId`, from what this server has cached of any chart, in its newest copy: that costs no credit, only its ' +
      '`stats` may. Null when it is not cached: nobody has read a chart with it yet, or not for a long time.',
  })
  trendingVideo(
    @Arg('itemId', () => IdScalar, { description: "TikTok's own id of the video." }) itemId: string,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult> {
    return resolveVideo(context.charts.findVideo(itemId), context, info);
  }

  @Query(() => [TrendingVideoType], {
    nullable: 'items',
    description:
      'Videos by their `itemId`s, as `trendingVideo` has them: one for each id, in the same order, null where ' +
      'one is unknown. For schema stitching: it resolves all references of a query in one request.',
  })
  trendingVideosByItemId(
    @Arg('itemIds', () => [IdScalar], { description: `TikTok's own ids of the videos, ${MAX_IDS} at most.` })
    itemIds: string[],
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult[]> {
    return resolveVideos(itemIds.map(context.charts.findVideo), context, info);
  }
}
