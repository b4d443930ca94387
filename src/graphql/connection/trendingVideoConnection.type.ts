import { Field, Int, ObjectType } from 'type-graphql';
import { DateTimeScalar } from '../types/scalars.ts';
import { TrendingVideoType } from '../types/trendingVideo.type.ts';
import { createConnectionType, createEdgeType } from './createConnectionTypes.ts';

/** GraphQL type `TrendingVideoEdge`. */
@ObjectType('TrendingVideoEdge', { simpleResolvers: true, description: 'A video at its rank on a chart.' })
export class TrendingVideoEdgeType extends createEdgeType(TrendingVideoType) {
  @Field(() => Int, { description: 'Rank on the chart; 1 is the top.' })
  rank!: number;
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
}
