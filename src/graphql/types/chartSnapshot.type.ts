import { Field, Int, ObjectType } from 'type-graphql';
import type { ChartSnapshot } from '../../domain/ranks.ts';
import { DateTimeScalar } from './scalars.ts';

/** GraphQL type `ChartSnapshot`: the domain's snapshot. */
@ObjectType('ChartSnapshot', {
  simpleResolvers: true,
  description:
    'The last known state of a chart on an earlier UTC day. The server knows only the pages that were fetched on ' +
    'that day.',
})
export class ChartSnapshotType implements ChartSnapshot {
  @Field(() => DateTimeScalar, {
    description: 'When the server fetched rank 1 of the snapshot from the data provider.',
  })
  takenAt!: number;

  @Field(() => Int, {
    description:
      'Number of ranks from the top that are known without a gap: the snapshot has every rank from 1 to this one.',
  })
  knownRanks!: number;
}
