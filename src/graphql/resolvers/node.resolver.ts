import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { type Found, findByGlobalId, findEach, MAX_IDS } from '../lookups.ts';
import { NodeType } from '../types/node.type.ts';

/** Resolves Relay's Global Object Identification. A graph has these fields once: the subgraph is without them. */
@Resolver()
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description:
      'An object by its global id. Videos are looked up as by `trendingVideo`: on the pages that are held, at no cost. ' +
      'Null where none has it.',
  })
  node(
    @Arg('id', () => ID, { description: 'A global id, as this API gave it.' }) id: string,
    @Ctx() context: OperationContext,
  ): Found {
    return findByGlobalId(id, context);
  }

  @Query(() => [NodeType], {
    nullable: 'items',
    description:
      'Objects by their global ids: as many as were asked for and in the same order, null where one is unknown.',
  })
  nodes(
    @Arg('ids', () => [ID], { description: `Global ids, as this API gave them, ${MAX_IDS} at most.` })
    ids: string[],
    @Ctx() context: OperationContext,
  ): Promise<Awaited<Found>[]> {
    return findEach(ids, 'ids', (id) => findByGlobalId(id, context));
  }
}
