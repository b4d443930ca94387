import { GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped, visit } from 'graphql';
import { createUnionType, Field, ObjectType } from 'type-graphql';
import { TrendingVideoType } from './trendingVideo.type.ts';

/** Scalar `_Any` of the Apollo Federation subgraph specification: accepts any value. */
export const AnyScalar = new GraphQLScalarType({
  name: '_Any',
  specifiedByURL: 'https://www.apollographql.com/docs/federation/subgraph-spec',
  description:
    'A reference to an entity: its `__typename` and the fields of one of its keys, such as `{ __typename: ' +
    '"TrendingVideo", itemId: "7106594312292453675" }`.',
  parseValue: toReference,
  parseLiteral: (node, variables) => toReference(valueFromASTUntyped(withAllDigits(node), variables)),
});

/** A reference is never a list. type-graphql would recurse into one, however deeply nested it is. */
function toReference(value: unknown): unknown {
  return Array.isArray(value) ? [] : value;
}

/** The literal with numbers that JavaScript cannot hold as text: they may be ids. */
function withAllDigits(node: ValueNode): ValueNode {
  return visit(node, {
    IntValue: ({ value }) => (Number.isSafeInteger(Number(value)) ? undefined : { kind: Kind.STRING, value }),
  });
}

/** Union `_Entity` of the Apollo Federation subgraph specification. */
export const EntityUnion = createUnionType({
  name: '_Entity',
  description: 'The types that other subgraphs can reference.',
  types: () => [TrendingVideoType] as const,
});

/** Type `_Service` of the Apollo Federation subgraph specification. */
@ObjectType('_Service', {
  simpleResolvers: true,
  description: 'This API as a subgraph of a federated graph.',
})
export class ServiceType {
  @Field(() => String, {
    description: 'The schema as SDL (schema definition language), for the composition of a federated graph.',
  })
  sdl!: string;
}
