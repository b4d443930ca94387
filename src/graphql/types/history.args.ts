import { ArgsType, Field, Int } from 'type-graphql';

/** `history` without `days`: a week. */
export const DEFAULT_HISTORY_DAYS = 7;
export const MAX_HISTORY_DAYS = 90;

/** Arguments of `TrendingVideoEdge.history`. */
@ArgsType()
export class HistoryArgs {
  @Field(() => Int, {
    defaultValue: DEFAULT_HISTORY_DAYS,
    description:
      `Number of UTC days, 1 to ${MAX_HISTORY_DAYS}, including the day on which the page of this edge was ` +
      'fetched. The server stores 8 days unless it is configured otherwise.',
  })
  days!: number;
}
