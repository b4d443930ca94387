import { ArgsType, Field, Int } from 'type-graphql';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { CountryCodeScalar } from './scalars.ts';

/** Arguments of `Query.trendingVideos`. */
@ArgsType()
export class TrendingVideosArgs {
  @Field(() => CountryCodeScalar, {
    defaultValue: 'US',
    description: 'Country of the chart, in upper or lower case.',
  })
  region!: string;

  @Field(() => TrendingPeriod, {
    defaultValue: TrendingPeriod.LAST_7_DAYS,
    description: 'The period that the chart covers, up to now.',
  })
  period!: TrendingPeriod;

  @Field(() => TrendingOrder, {
    defaultValue: TrendingOrder.VIEWS,
    description: 'The number that the chart is ranked by, highest first.',
  })
  orderBy!: TrendingOrder;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of ranks to return, 0 to 100: from the top of the chart, or those that follow `after`. The default is 20 if `last` is ' +
      'not given either.',
  })
  first?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'Start after this cursor: an `endCursor` or `cursor` of the same chart.',
  })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      'Maximum number of ranks to return, 0 to 100: those that precede `before`. Without `before` and `first`, this ' +
      'is the end of the chart. With `first`, `last` is applied to the result of `first`.',
  })
  last?: number | null;

  @Field(() => String, {
    nullable: true,
    description: 'End before this cursor: a `startCursor` or `cursor` of the same chart.',
  })
  before?: string | null;
}
