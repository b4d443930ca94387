import type { GraphQLResolveInfo } from 'graphql';
import { Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { readConnection } from '../connection/readConnection.ts';
import { TrendingVideoConnectionType } from '../connection/trendingVideoConnection.type.ts';
import type { WindowConnection } from '../connection/windowConnection.ts';
import type { OperationContext } from '../context.ts';
import { TrendingVideosArgs } from '../types/trendingVideos.args.ts';

/** Resolves `Query.trendingVideos`. */
@Resolver()
export class TrendingVideosResolver {
  @Query(() => TrendingVideoConnectionType, {
    nullable: true,
    description:
      'A window of a trending chart. Pages of 20 are bought as they are needed and shared by everyone: ' +
      '`extensions.upstream` says what this answer cost. Null, with an error, when the chart cannot be had.',
  })
  trendingVideos(
    @Args(() => TrendingVideosArgs) args: TrendingVideosArgs,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<WindowConnection | object> {
    return readConnection(args, context, info);
  }
}
