import { Directive, Field, ObjectType } from 'type-graphql';

/** GraphQL type `PageInfo`; other subgraphs have it too. */
@Directive('@shareable')
@ObjectType('PageInfo', {
  simpleResolvers: true,
  description: 'Where a window stands on its chart (Relay Cursor Connections Specification).',
})
export class PageInfoType {
  @Field(() => Boolean, {
    description: 'True when the chart goes on behind this window, whatever arguments were sent.',
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
      'Send it as `after`, with `first`, for the window behind this one; null when this one is empty.',
  })
  endCursor!: string | null;
}
