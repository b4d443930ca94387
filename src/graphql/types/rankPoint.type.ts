import { Field, Int, ObjectType } from 'type-graphql';
import { DateScalar } from './scalars.ts';

/** GraphQL type `RankPoint`. */
@ObjectType('RankPoint', { simpleResolvers: true, description: 'The rank of a video on one day.' })
export class RankPointType {
  @Field(() => DateScalar, { description: 'The UTC day.' })
  date!: string;

  @Field(() => Int, { description: 'Its latest known rank on that day; 1 is the top.' })
  rank!: number;
}
