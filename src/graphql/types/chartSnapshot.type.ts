import { Field, Int, ObjectType } from 'type-graphql';
import type { ChartSnapshot } from '../../domain/ranks.ts';
import { DateTimeScalar } from './scalars.ts';

/** GraphQL type `ChartSnapshot`: the domain's snapshot. */
@ObjectType('ChartSnapshot', {
  simpleResolvers: true,
  description: 'The last state of a chart on a day, as far as it was read on that day.',
})
export class ChartSnapshotType implements ChartSnapshot {
  @Field(() => DateTimeScalar, { description: 'When its rank 1 was fetched from the provider.' })
  takenAt!: number;

  @Field(() => Int, { description: 'How many ranks, counted from the top, are known without a gap.' })
  knownRanks!: number;
}
