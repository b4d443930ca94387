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
    'A video on a TikTok trending chart. A lookup by `id` or `itemId` searches the cached pages of all charts and ' +
    'returns the newest copy, or null if no cached page has the video. A lookup costs no credits, except for ' +
    '`stats`.',
})
export class TrendingVideoType extends NodeType implements TrendingVideo {
  @Field(() => IdScalar, { description: "TikTok's id of the video: the number in `itemUrl`." })
  itemId: string;

  @Field(() => UrlScalar, { description: "Link to the video's page on TikTok." })
  itemUrl: string;

  @Field(() => String, { description: 'Caption as posted, including hashtags; empty if the video has none.' })
  title: string;

  @Field(() => UrlScalar, {
    nullable: true,
    description:
      'Signed link to the cover image. It stops working at `coverExpiresAt`, so do not store it. Null if the data ' +
      'provider sends no link, or one that has already expired.',
  })
  cover: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When the `cover` link stops working, or has stopped working; null if this is unknown.',
  })
  coverExpiresAt: number | null;

  @Field(() => Int, { description: 'Length in seconds; 0 means unknown.' })
  duration: number;

  @Field(() => String, {
    nullable: true,
    description:
      'English name of the country in `countryCode`; null if the data provider sends none. Arguments named `region` take ' +
      'the `countryCode`.',
  })
  region: string | null;

  @Field(() => CountryCodeScalar, {
    nullable: true,
    description: 'Country of the chart that the video is on; null if the data provider sends no valid code.',
  })
  countryCode: string | null;

  @Field(() => CreatorType, {
    nullable: true,
    description: 'Who posted the video; null if `itemUrl` does not contain a handle.',
  })
  creator: CreatorType | null;

  /** Set where it is selected; an error where the numbers are unavailable. */
  @Field(() => VideoStatsType, {
    nullable: true,
    description:
      'Views, likes and other numbers on the video. They are fetched only if selected: 1 credit for up to 10 ' +
      'videos, unless they are cached; the cache is shared by all clients. Null without an error if the data ' +
      'provider does not know the video. If numbers are unavailable, `stats` is null and the whole connection or ' +
      'list has one error, at its first video without numbers; `extensions.videos` is the number of these videos.',
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
