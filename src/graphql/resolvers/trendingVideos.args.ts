import { ArgsType, Field, Int } from 'type-graphql';
import { type Chart, TrendingOrder, TrendingPeriod } from '../../domain/chart.ts';
import { decodeCursor } from '../../domain/cursor.ts';
import { ApiError } from '../../domain/errors.ts';
import { MAX_WINDOW, type WindowArguments } from '../../domain/window/index.ts';
import { CountryCodeScalar } from '../scalars.ts';

/** Arguments of `Query.trendingVideos`. */
@ArgsType()
export class TrendingVideosArgs {
  @Field(() => CountryCodeScalar, { defaultValue: 'US', description: 'Country whose chart is wanted.' })
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

  @Field(() => String, { nullable: true, description: 'Only what stands behind this cursor.' })
  after?: string | null;

  @Field(() => Int, {
    nullable: true,
    description:
      "Keep this many from the end, 0 to 100; without `before` or `first` that is the chart's tail. " +
      'With `first`, the last ones of those.',
  })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what stands before this cursor.' })
  before?: string | null;
}

/**
 * Checks the pagination arguments; null and an empty cursor count as absent.
 *
 * @throws {ApiError} `BAD_USER_INPUT`, which names the argument.
 */
export function toWindowArguments(chart: Chart, args: TrendingVideosArgs): WindowArguments {
  return {
    first: toSize(args.first, 'first'),
    last: toSize(args.last, 'last'),
    after: args.after ? decodeCursor(chart, args.after, 'after') : undefined,
    before: args.before ? decodeCursor(chart, args.before, 'before') : undefined,
  };
}

function toSize(value: number | null | undefined, argument: string): number | undefined {
  if (value === null || value === undefined) return undefined;
  if (value < 0 || value > MAX_WINDOW) {
    throw new ApiError('BAD_USER_INPUT', {
      message: `Argument "${argument}": expected 0 to ${MAX_WINDOW}, but got: ${value}`,
    });
  }
  return value;
}
