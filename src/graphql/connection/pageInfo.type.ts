import { Directive, Field, ObjectType } from 'type-graphql';

/** GraphQL type `PageInfo`; other subgraphs define it too. */
@Directive('@shareable')
@ObjectType('PageInfo', {
  simpleResolvers: true,
  description:
    'Whether the chart continues before and after a window (Relay Cursor Connections Specification).',
})
export class PageInfoType {
  @Field(() => Boolean, {
    description:
      'True if the chart has ranks after this window. The flag is exact whichever arguments were sent; it is ' +
      'false for an empty window.',
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description:
      'True if the chart has ranks before this window. The flag is exact whichever arguments were sent; it is ' +
      'false for an empty window.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Send it as `before`, together with `last`, to get the previous window. Null if this window is empty.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Send it as `after`, together with `first`, to get the next window. Null if this window is empty.',
  })
  endCursor!: string | null;
}
