import { Directive, Field, ObjectType } from 'type-graphql';
import type { Creator } from '../../domain/trendingVideo.ts';
import { UrlScalar } from './scalars.ts';

/** GraphQL type `Creator`; other subgraphs may define it too. */
@Directive('@shareable')
@ObjectType('Creator', { simpleResolvers: true, description: 'The TikTok user who posted a video.' })
export class CreatorType implements Creator {
  @Field(() => String, { description: 'The TikTok handle, without the `@`.' })
  handle: string;

  @Field(() => UrlScalar, { description: "Link to the creator's page on TikTok." })
  url: string;

  constructor({ handle, url }: Creator) {
    this.handle = handle;
    this.url = url;
  }
}
