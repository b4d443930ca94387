import { GraphQLScalarType } from 'graphql';
import { createUnionType, Field, ObjectType } from 'type-graphql';
import { TrendingVideoType } from './trendingVideo.type.ts';

/** Scalar `_Any` of the Apollo Federation subgraph specification: accepts any value. */
export const AnyScalar = new GraphQLScalarType({
  name: '_Any',
  description:
    'A reference of a federated graph: `__typename` and the fields of one of the type\'s keys, such as `{ __typename: "TrendingVideo", itemId: "7106594312292453675" }`.',
  // A reference is never a list. type-graphql would recurse into one, however deeply nested it is.
  parseValue: (value) => (Array.isArray(value) ? [] : value),
});

/** Union `_Entity` of the Apollo Federation subgraph specification. */
export const EntityUnion = createUnionType({
  name: '_Entity',
  description: 'The types that other subgraphs can refer to.',
  types: () => [TrendingVideoType] as const,
});

/** Type `_Service` of the Apollo Federation subgraph specification. */
@ObjectType('_Service', {
  simpleResolvers: true,
  description: 'This API as a subgraph of a federated graph.',
})
export class ServiceType {
  @Field(() => String, {
    description: 'The schema that a federated graph is composed with, in its schema definition language.',
  })
  sdl!: string;
}
