import { Args, Field, Int, ObjectType } from 'type-graphql';
import { RankMovement } from '../../domain/ranks.ts';
import type { RankedVideo } from '../../domain/window/index.ts';
import type { ConnectionHistory } from '../history/connectionHistory.ts';
import { ChartSnapshotType } from '../types/chartSnapshot.type.ts';
import { HistoryArgs } from '../types/history.args.ts';
import { RankPointType } from '../types/rankPoint.type.ts';
import { DateTimeScalar } from '../types/scalars.ts';
import { TrendingVideoType } from '../types/trendingVideo.type.ts';
import { createConnectionType, createEdgeType } from './createConnectionTypes.ts';

/** GraphQL type `TrendingVideoEdge`. */
@ObjectType('TrendingVideoEdge', { simpleResolvers: true, description: 'A video and its rank on a chart.' })
export class TrendingVideoEdgeType extends createEdgeType(TrendingVideoType) {
  // `private`, not `#`: in a decorated class, the bundler writes `#` fields as slow WeakMaps.
  /** @param pastDays What they say about the connection; undefined when that is not selected. */
  constructor(
    private readonly row: RankedVideo,
    { cursor, node }: Pick<TrendingVideoEdgeType, 'cursor' | 'node'>,
    private readonly pastDays: ConnectionHistory | undefined,
  ) {
    super();
    this.cursor = cursor;
    this.node = node;
  }

  @Field(() => Int, { description: 'Rank of the video on the chart; 1 is the top.' })
  get rank(): number {
    return this.row.rank;
  }

  @Field(() => Int, {
    nullable: true,
    description:
      'Rank of the video on the snapshot in `comparedWith`. Null if the snapshot does not have the video, or if ' +
      'there is no snapshot.',
  })
  get previousRank(): number | null {
    return this.pastDays?.previousRank(this.row) ?? null;
  }

  @Field(() => RankMovement, {
    nullable: true,
    description:
      'How the video has moved since the snapshot in `comparedWith`. Null if this is unknown: there is no ' +
      'snapshot, or the snapshot does not have the video, which may have had a rank that was not fetched on that ' +
      'day.',
  })
  get movement(): RankMovement | null {
    return this.pastDays?.movement(this.row) ?? null;
  }

  @Field(() => [RankPointType], {
    description:
      'Rank of the video on the last UTC days, oldest first. A day is missing if the video was not on the chart, ' +
      'or if no page with it was fetched on that day. The last point is always `rank`. Costs no extra credits: ' +
      'the server stores the ranks of the pages that it fetches.',
  })
  history(@Args(() => HistoryArgs) { days }: HistoryArgs): RankPointType[] {
    return this.pastDays?.points(this.row, days) ?? [];
  }
}

/** GraphQL type `TrendingVideoConnection`. */
@ObjectType('TrendingVideoConnection', {
  simpleResolvers: true,
  description: 'A window of a trending chart: a range of ranks.',
})
export class TrendingVideoConnectionType extends createConnectionType(
  TrendingVideoType,
  TrendingVideoEdgeType,
) {
  @Field(() => Int, { description: 'Number of ranks on the whole chart; a full chart has 500.' })
  totalCount!: number;

  @Field(() => DateTimeScalar, {
    description: 'When the server fetched the oldest page of this window from the data provider.',
  })
  fetchedAt!: number;

  @Field(() => Boolean, {
    description:
      'True if any page of this window is older than its time to live. A stale page is served while it is ' +
      'refreshed, or while the data provider fails.',
  })
  stale!: boolean;

  @Field(() => ChartSnapshotType, {
    nullable: true,
    description:
      'The snapshot that `previousRank` and `movement` compare with: the last known state of the chart on an ' +
      'earlier UTC day than that of `fetchedAt`. It is the latest such day on which rank 1 was fetched, normally ' +
      'the day before. Null if the server has stored no such day.',
  })
  comparedWith!: ChartSnapshotType | null;
}
