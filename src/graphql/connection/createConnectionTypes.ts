import { type ClassType, Field, ObjectType } from 'type-graphql';
import { PageInfoType } from './pageInfo.type.ts';

/**
 * Creates the base class of an edge type. Extend it, under `@ObjectType`, with the fields of the edge.
 *
 * @param nodeType Class of the nodes.
 */
export function createEdgeType<TNode extends object>(nodeType: ClassType<TNode>) {
  @ObjectType({ simpleResolvers: true })
  abstract class EdgeType {
    @Field(() => String, { description: 'Opaque position on the chart. Send it as `after` or `before`.' })
    cursor!: string;

    @Field(() => nodeType, { description: 'The video at this rank.' })
    node!: TNode;
  }
  return EdgeType;
}

/**
 * Creates the base class of a connection type (Relay Cursor Connections Specification, with the `nodes` shorthand).
 * Extend it, under `@ObjectType`, with the fields of the connection.
 *
 * @param nodeType Class of the nodes.
 * @param edgeType Class of the edges.
 */
export function createConnectionType<TNode extends object, TEdge extends object>(
  nodeType: ClassType<TNode>,
  edgeType: ClassType<TEdge>,
) {
  @ObjectType({ simpleResolvers: true })
  abstract class ConnectionType {
    @Field(() => [edgeType], {
      description:
        'The ranks of the window, top first. A rank is missing if the data provider sent no readable video for ' +
        'it, so there may be fewer edges than requested.',
    })
    edges!: TEdge[];

    @Field(() => [nodeType], { description: 'The videos of `edges`, in the same order.' })
    nodes!: TNode[];

    @Field(() => PageInfoType, {
      description:
        'Whether the chart continues before and after the window, and the cursors to continue from.',
    })
    pageInfo!: PageInfoType;
  }
  return ConnectionType;
}
