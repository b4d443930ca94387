import { Field, ObjectType } from 'type-graphql';
import type { ServedStats } from '../../domain/videoStats.ts';
import { DateTimeScalar, SafeIntScalar } from './scalars.ts';

/** GraphQL type `VideoStats`: the domain's numbers on a video. */
@ObjectType('VideoStats', {
  simpleResolvers: true,
  description:
    'Numbers on a video, about a day old when they are fetched. A count is null when the provider does not send it.',
})
export class VideoStatsType implements ServedStats {
  @Field(() => SafeIntScalar, { nullable: true, description: 'Times the video was played.' })
  views: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Likes.' })
  likes: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Comments.' })
  comments: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Times the video was shared.' })
  shares: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Times the video was saved as a favorite.' })
  favorites: number | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When the video was posted.' })
  publishedAt: number | null;

  @Field(() => DateTimeScalar, { description: 'When these numbers were fetched from the provider.' })
  fetchedAt: number;

  @Field(() => Boolean, { description: 'True when these numbers are past their time to live.' })
  stale: boolean;

  constructor(stats: ServedStats) {
    this.views = stats.views;
    this.likes = stats.likes;
    this.comments = stats.comments;
    this.shares = stats.shares;
    this.favorites = stats.favorites;
    this.publishedAt = stats.publishedAt;
    this.fetchedAt = stats.fetchedAt;
    this.stale = stats.stale;
  }
}
