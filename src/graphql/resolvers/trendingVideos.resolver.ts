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
      'A window of a trending chart. A page of 20 ranks costs 2 credits unless it is cached; the cache is shared ' +
      'by all clients. `extensions.upstream` shows what the response cost. Null with an error if the chart is ' +
      'unavailable.',
  })
  trendingVideos(
    @Args(() => TrendingVideosArgs) args: TrendingVideosArgs,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): WindowConnection | object | Promise<WindowConnection> {
    return readConnection(args, context, info);
  }
}
