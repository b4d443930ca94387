import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { MAX_IDS } from '../limits/lookupLimit.ts';
import { type Found, findByGlobalId } from './lookups.ts';
import { NodeType } from '../types/node.type.ts';

/** Resolves Relay's Global Object Identification. A graph has these fields once: the subgraph is without them. */
@Resolver()
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description:
      'An object by its global id. A video comes from what this server has cached, as by `trendingVideo`: that never ' +
      'costs a credit. Null where it is not known.',
  })
  node(
    @Arg('id', () => ID, { description: 'A global id, as this API gave it.' }) id: string,
    @Ctx() context: OperationContext,
  ): Promise<Found> {
    return findByGlobalId(id, context);
  }

  @Query(() => [NodeType], {
    nullable: 'items',
    description:
      'Objects by their global ids, as `node` has them: as many as were asked for and in the same order, null where one ' +
      'is unknown.',
  })
  nodes(
    @Arg('ids', () => [ID], { description: `Global ids, as this API gave them, ${MAX_IDS} at most.` })
    ids: string[],
    @Ctx() context: OperationContext,
  ): Promise<Found[]> {
    return Promise.all(ids.map((id) => findByGlobalId(id, context)));
  }
}
