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
@ObjectType('TrendingVideoEdge', { simpleResolvers: true, description: 'A video at its rank on a chart.' })
export class TrendingVideoEdgeType extends createEdgeType(TrendingVideoType) {
  readonly #row: RankedVideo;
  readonly #history: ConnectionHistory | undefined;

  /** @param history What past days say about its connection; undefined when that is not selected. */
  constructor(
    row: RankedVideo,
    { cursor, node }: Pick<TrendingVideoEdgeType, 'cursor' | 'node'>,
    history: ConnectionHistory | undefined,
  ) {
    super();
    this.#row = row;
    this.#history = history;
    this.cursor = cursor;
    this.node = node;
  }

  @Field(() => Int, { description: 'Rank on the chart; 1 is the top.' })
  get rank(): number {
    return this.#row.rank;
  }

  @Field(() => Int, {
    nullable: true,
    description:
      'Its rank on the snapshot in `comparedWith`; null when it is not known there, or when there is no such snapshot.',
  })
  get previousRank(): number | null {
    return this.#history?.previousRank(this.#row) ?? null;
  }

  @Field(() => RankMovement, {
    nullable: true,
    description:
      'How it has moved since the snapshot in `comparedWith`. Null when that cannot be told: it was not seen there, and may ' +
      'have had a rank that nobody read.',
  })
  get movement(): RankMovement | null {
    return this.#history?.movement(this.#row) ?? null;
  }

  @Field(() => [RankPointType], {
    description:
      'Its rank on the last UTC days, the oldest first. A day is left out if the video was not seen on it: nobody read the rank ' +
      'that it had, or it was not on the chart. The last point is always `rank`. Costs nothing: it is what was read on those days.',
  })
  history(@Args(() => HistoryArgs) { days }: HistoryArgs): RankPointType[] {
    return this.#history?.points(this.#row, days) ?? [];
  }
}

/** GraphQL type `TrendingVideoConnection`. */
@ObjectType('TrendingVideoConnection', {
  simpleResolvers: true,
  description: 'A window of a trending chart.',
})
export class TrendingVideoConnectionType extends createConnectionType(
  TrendingVideoType,
  TrendingVideoEdgeType,
) {
  @Field(() => Int, { description: 'Ranks of the whole chart; a full one has 500.' })
  totalCount!: number;

  @Field(() => DateTimeScalar, {
    description: 'When the oldest data of this connection was fetched from the provider.',
  })
  fetchedAt!: number;

  @Field(() => Boolean, { description: 'True when any of the data is past its time to live.' })
  stale!: boolean;

  @Field(() => ChartSnapshotType, {
    nullable: true,
    description:
      'What `previousRank` and `movement` compare with: the last state of the chart on the latest UTC day before that of ' +
      '`fetchedAt` on which somebody read its rank 1: normally the day before. Null when there is none within the days that are ' +
      'remembered.',
  })
  comparedWith!: ChartSnapshotType | null;
}
