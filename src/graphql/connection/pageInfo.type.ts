import { Directive, Field, ObjectType } from 'type-graphql';

/** GraphQL type `PageInfo`; other subgraphs define it too. */
@Directive('@shareable')
@ObjectType('PageInfo', {
  simpleResolvers: true,
  description: 'Where a window is on its chart (Relay Cursor Connections Specification).',
})
export class PageInfoType {
  @Field(() => Boolean, {
    description: 'True when the chart has ranks after this window, whatever arguments were sent.',
  })
  hasNextPage!: boolean;

  @Field(() => Boolean, {
    description: 'True when the chart has ranks before this window, whatever arguments were sent.',
  })
  hasPreviousPage!: boolean;

  @Field(() => String, {
    nullable: true,
    description:
      'Send it as `before`, with `last`, for the window before this one; null when this one is empty.',
  })
  startCursor!: string | null;

  @Field(() => String, {
    nullable: true,
    description:
      'Send it as `after`, with `first`, for the window after this one; null when this one is empty.',
  })
  endCursor!: string | null;
}
