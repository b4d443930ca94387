import { Field, InterfaceType } from 'type-graphql';
import { IdScalar } from './scalars.ts';

/** GraphQL interface `Node`. */
@InterfaceType('Node', {
  description: "An object with a global id (Relay's Global Object Identification).",
})
export abstract class NodeType {
  @Field(() => IdScalar, { description: 'Global id: opaque, stable, and unique across all types.' })
  id: string;

  constructor(id: string) {
    this.id = id;
  }
}
