import { Field, ObjectType } from 'type-graphql';
import type { ServedStats } from '../../domain/videoStats.ts';
import { DateTimeScalar, SafeIntScalar } from './scalars.ts';

/** GraphQL type `VideoStats`: the domain's numbers on a video. */
@ObjectType('VideoStats', {
  simpleResolvers: true,
  description:
    'Numbers on a video. They are about a day old when the server fetches them. A count is null if the data ' +
    'provider does not send it.',
})
export class VideoStatsType implements ServedStats {
  @Field(() => SafeIntScalar, { nullable: true, description: 'Number of times the video was played.' })
  views: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Number of likes.' })
  likes: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Number of comments.' })
  comments: number | null;

  @Field(() => SafeIntScalar, { nullable: true, description: 'Number of times the video was shared.' })
  shares: number | null;

  @Field(() => SafeIntScalar, {
    nullable: true,
    description: 'Number of times the video was saved as a favorite.',
  })
  favorites: number | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the video was posted; null if the data provider does not send it.',
  })
  publishedAt: number | null;

  @Field(() => DateTimeScalar, {
    description: 'When the server fetched these numbers from the data provider.',
  })
  fetchedAt: number;

  @Field(() => Boolean, {
    description:
      'True if these numbers are older than their time to live. They are served while the server refreshes them, ' +
      'or while the data provider fails.',
  })
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
