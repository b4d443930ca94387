import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Info, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { MAX_IDS } from '../limits/lookupLimit.ts';
import { NodeType } from '../types/node.type.ts';
import { IdScalar } from '../types/scalars.ts';
import { findByGlobalId, type LookupResult, resolveVideo, resolveVideos } from './lookups.ts';

/**
 * Resolves Relay's Global Object Identification. A federated graph has these fields only once: the subgraph does not
 * have them.
 */
@Resolver()
export class NodeResolver {
  @Query(() => NodeType, {
    nullable: true,
    description:
      'An object by its global id. A video comes from what this server has cached, as by `trendingVideo`: only ' +
      'its `stats` may cost credits. Null when it is unknown.',
  })
  node(
    @Arg('id', () => IdScalar, { description: 'A global id, as this API gave it.' }) id: string,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult> {
    return resolveVideo(findByGlobalId(id, context), context, info);
  }

  @Query(() => [NodeType], {
    nullable: 'items',
    description:
      'Objects by their global ids, as `node` has them: one for each id, in the same order, null where one is unknown.',
  })
  nodes(
    @Arg('ids', () => [IdScalar], { description: `Global ids, as this API gave them, ${MAX_IDS} at most.` })
    ids: string[],
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult[]> {
    return resolveVideos(
      ids.map((id) => findByGlobalId(id, context)),
      context,
      info,
    );
  }
}
