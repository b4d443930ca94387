import { Directive, Field, Int, ObjectType } from 'type-graphql';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import type { ServedStats } from '../../domain/videoStats.ts';
import { CreatorType } from './creator.type.ts';
import { NodeType } from './node.type.ts';
import { CountryCodeScalar, DateTimeScalar, IdScalar, UrlScalar } from './scalars.ts';
import { VideoStatsType } from './videoStats.type.ts';

/** GraphQL type `TrendingVideo`: the domain's video. Other subgraphs refer to it by either of its keys. */
@Directive('@key(fields: "id")')
@Directive('@key(fields: "itemId")')
@ObjectType('TrendingVideo', {
  implements: NodeType,
  simpleResolvers: true,
  description:
    'A video on a TikTok trending chart. Looked up by its `id` or `itemId` it comes from what this server has cached of ' +
    'any chart: the newest copy is given, and a video that is not cached is null. Only its `stats` may cost credits.',
})
export class TrendingVideoType extends NodeType implements TrendingVideo {
  @Field(() => IdScalar, { description: "TikTok's own id of the video, as in its link." })
  itemId: string;

  @Field(() => UrlScalar, { description: 'The video on TikTok.' })
  itemUrl: string;

  @Field(() => String, { description: 'Caption as posted, hashtags included; empty when it has none.' })
  title: string;

  @Field(() => UrlScalar, {
    nullable: true,
    description:
      'Signed link to the cover picture. It stops working at `coverExpiresAt`: show it, do not store it. Null when ' +
      'the provider sends none, or one that has expired.',
  })
  cover: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the `cover` link stops working; null when the link does not say.',
  })
  coverExpiresAt: number | null;

  @Field(() => Int, { description: 'Length in seconds; 0 when the provider sends none.' })
  duration: number;

  @Field(() => String, { nullable: true, description: 'English name of the country in `countryCode`.' })
  region: string | null;

  @Field(() => CountryCodeScalar, { nullable: true, description: 'The country whose chart it is on.' })
  countryCode: string | null;

  @Field(() => CreatorType, {
    nullable: true,
    description: 'Who posted it; null when its link does not say.',
  })
  creator: CreatorType | null;

  /** Set where it is selected; an error where the numbers are unavailable. */
  @Field(() => VideoStatsType, {
    nullable: true,
    description:
      'Numbers on it, bought only where they are selected: up to 10 videos for 1 credit, then cached for everyone. Null, ' +
      'without an error, when the provider does not know the video. When numbers are unavailable, there is one error for the ' +
      'whole connection or list, at its first video without them: `extensions.videos` says how many there are.',
  })
  stats: VideoStatsType | null | Error | undefined;

  constructor(video: TrendingVideo, stats?: ServedStats | null | Error) {
    super(video.id);
    this.itemId = video.itemId;
    this.itemUrl = video.itemUrl;
    this.title = video.title;
    this.cover = video.cover;
    this.coverExpiresAt = video.coverExpiresAt;
    this.duration = video.duration;
    this.region = video.region;
    this.countryCode = video.countryCode;
    this.creator = video.creator && new CreatorType(video.creator);
    this.stats = stats && !(stats instanceof Error) ? new VideoStatsType(stats) : stats;
  }
}
