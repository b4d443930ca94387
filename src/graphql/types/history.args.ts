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
      `How many UTC days at most, that of the last point included: 1 to ${MAX_HISTORY_DAYS}. The server remembers as many as it is ` +
      'set to, 8 by default.',
  })
  days!: number;
}
