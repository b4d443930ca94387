import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Ctx, Info, Query, Resolver } from 'type-graphql';
import type { OperationContext } from '../context.ts';
import { MAX_IDS_PER_OPERATION } from '../limits/lookupLimit.ts';
import { AnyScalar, EntityUnion, ServiceType } from '../types/subgraph.type.ts';
import { findByReference, type LookupResult, resolveVideos } from './lookups.ts';

/** Resolves the queries of a federated graph's gateway (Apollo Federation subgraph specification). */
@Resolver()
export class SubgraphResolver {
  readonly #readSdl: () => string;
  #sdl: string | undefined;

  /** @param readSdl Gives the SDL that a federated graph is composed with; called once, on demand. */
  constructor(readSdl: () => string) {
    this.#readSdl = readSdl;
  }

  @Query(() => ServiceType, { description: "The subgraph's schema, for composing a federated graph." })
  _service(): ServiceType {
    this.#sdl ??= this.#readSdl();
    return { sdl: this.#sdl };
  }

  @Query(() => [EntityUnion], {
    nullable: 'items',
    description:
      'For the gateway of a federated graph: the entities of these references, in the same order, null where one is unknown. ' +
      'Videos come from what this server has cached, as by `trendingVideo`: only their `stats` may cost credits.',
  })
  _entities(
    @Arg('representations', () => [AnyScalar], {
      description: `The references, ${MAX_IDS_PER_OPERATION} at most.`,
    })
    representations: unknown[],
    @Ctx() context: OperationContext,
    @Info() info: GraphQLResolveInfo,
  ): Promise<(LookupResult | Error)[]> {
    // Failures as values: compiled code would move the items around a promise that rejects.
    const finding = representations.map((reference) =>
      findByReference(reference, context).catch((error: Error) => error),
    );
    return resolveVideos(finding, context, info);
  }
}
