import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { MAX_IDS_PER_OPERATION } from '../limits/lookupLimit.ts';
import { type Found, findReferred } from './lookups.ts';
import { AnyScalar, EntityUnion, ServiceType } from '../types/subgraph.type.ts';

/** Resolves what the gateway of a federated graph asks (Apollo Federation subgraph specification). */
@Resolver()
export class SubgraphResolver {
  @Query(() => ServiceType, { description: "The subgraph's schema, for whoever composes a federated graph." })
  _service(): ServiceType {
    // Made when somebody asks for it; it is made of the schema that this is a part of.
    return { sdl: import('../schema/subgraphSdl.ts').then(({ subgraphSdl }) => subgraphSdl) };
  }

  @Query(() => [EntityUnion], {
    nullable: 'items',
    description:
      'For the gateway of a federated graph: what references refer to, in their order, null where one is unknown. ' +
      'Videos come from what this server has cached, as by `trendingVideo`: that never costs a credit.',
  })
  _entities(
    @Arg('representations', () => [AnyScalar], {
      description: `The references, ${MAX_IDS_PER_OPERATION} at most.`,
    })
    representations: unknown[],
    @Ctx() context: OperationContext,
  ): Promise<Found>[] {
    return representations.map((reference) => findReferred(reference, context));
  }
}
