import type { GraphQLResolveInfo } from 'graphql';
import { Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { toChart } from '../../domain/chart.ts';
import { toWindowNeed } from '../connection/selection.ts';
import { TrendingVideoConnectionType } from '../connection/trendingVideoConnection.type.ts';
import { WindowConnection } from '../connection/windowConnection.ts';
import type { OperationContext } from '../context.ts';
import { TrendingVideosArgs, toWindowArguments } from './trendingVideos.args.ts';

/** Resolves `Query.trendingVideos`. */
@Resolver()
export class TrendingVideosResolver {
  @Query(() => TrendingVideoConnectionType, {
    nullable: true,
    description:
      'A window of a trending chart. Pages of 20 are bought as they are needed and shared by everyone: ' +
      '`extensions.upstream` says what this answer cost. Null, with an error, when the chart cannot be had.',
  })
  async trendingVideos(
    @Args(() => TrendingVideosArgs) args: TrendingVideosArgs,
    @Ctx() { charts }: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<WindowConnection | object> {
    const chart = toChart(args.region, args.period, args.orderBy);
    const window = toWindowArguments(chart, args);
    const need = toWindowNeed(info.fieldNodes, info);
    if (!need.rows && !need.facts) return {};
    return new WindowConnection(chart, await charts.readWindow(chart, window, need));
  }
}
