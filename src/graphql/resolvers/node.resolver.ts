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
      'Looks up an object by its global id. Videos are found in the cached pages, as by `trendingVideo`: this ' +
      'costs no credits, except for `stats`. Null if the id is unknown.',
  })
  node(
    @Arg('id', () => IdScalar, { description: 'The `id` of an object, as this API returned it.' }) id: string,
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<LookupResult> {
    return resolveVideo(findByGlobalId(id, context), context, info);
  }

  @Query(() => [NodeType], {
    nullable: 'items',
    description:
      'Looks up several objects like `node`. The list has one entry for each id, in the same order; the entry is ' +
      'null if the id is unknown.',
  })
  nodes(
    @Arg('ids', () => [IdScalar], {
      description: `The \`id\`s of objects, as this API returned them, ${MAX_IDS} at most.`,
    })
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
