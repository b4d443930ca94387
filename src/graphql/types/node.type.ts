import { Field, InterfaceType } from 'type-graphql';
import { IdScalar } from './scalars.ts';

/** GraphQL interface `Node`. */
@InterfaceType('Node', {
  description: "An object with an id that is unique in the whole graph (Relay's Node).",
})
export abstract class NodeType {
  @Field(() => IdScalar, { description: 'Global id: opaque, stable, unique over all types.' })
  id: string;

  constructor(id: string) {
    this.id = id;
  }
}
