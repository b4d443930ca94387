import { ArgsType, Field, Int } from 'type-graphql';
import { TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { CountryCodeScalar } from './scalars.ts';

/** Arguments of `Query.trendingVideos`. */
@ArgsType()
export class TrendingVideosArgs {
  @Field(() => CountryCodeScalar, { defaultValue: 'US', description: 'Country of the chart.' })
  region!: string;

  @Field(() => TrendingPeriod, {
    defaultValue: TrendingPeriod.LAST_7_DAYS,
    description: 'Trailing window that the chart covers.',
  })
  period!: TrendingPeriod;

  @Field(() => TrendingOrder, {
    defaultValue: TrendingOrder.VIEWS,
    description: 'What the chart is ranked by, highest first.',
  })
  orderBy!: TrendingOrder;

  @Field(() => Int, {
    nullable: true,
    description: 'Keep this many from the start, 0 to 100. 20 when neither `first` nor `last` is given.',
  })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only rows after this cursor.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Keep this many from the end, 0 to 100; without `before` and `first` that is the chart's tail. " +
      'With `first`, the last ones of those.',
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only rows before this cursor.' })
  before?: string | null;
}
