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

  @Query(() => ServiceType, {
    description: 'The schema of this subgraph, for the composition of a federated graph.',
  })
  _service(): ServiceType {
    this.#sdl ??= this.#readSdl();
    return { sdl: this.#sdl };
  }

  @Query(() => [EntityUnion], {
    nullable: 'items',
    description:
      'Resolves the references of a federation gateway. The list has one entry for each reference, in the same ' +
      'order; the entry is null if the reference is unknown. Videos are found in the cached pages, as by ' +
      '`trendingVideo`: this costs no credits, except for `stats`.',
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
