import { Args, ArgsType, Field, Int } from 'type-graphql';
import {
  TrendingVideoConnectionType,
  TrendingVideoEdgeType,
} from '../../src/graphql/connection/trendingVideoConnection.type.ts';
import { WindowConnection } from '../../src/graphql/connection/windowConnection.ts';
import { CreatorType } from '../../src/graphql/types/creator.type.ts';
import { TrendingVideoType } from '../../src/graphql/types/trendingVideo.type.ts';
import { VideoStatsType } from '../../src/graphql/types/videoStats.type.ts';

@ArgsType()
class LengthArgs {
  @Field(() => Int, { defaultValue: 5 })
  length!: number;
}

/** Adds computed fields to classes of the schema, for the schemas that are built from now on in this test file. */
export function addComputedFields(): void {
  addGetter(TrendingVideoType, 'durationText', function () {
    return `${Math.floor(this.duration / 60)}:${String(this.duration % 60).padStart(2, '0')}`;
  });
  addGetter(TrendingVideoType, 'byline', function () {
    // Another computed field, of another class.
    return this.creator && Reflect.get(this.creator, 'mention');
  });
  addMethod(TrendingVideoType, 'shortTitle', function ({ length }) {
    return this.title.slice(0, length);
  });
  addGetter(CreatorType, 'mention', function () {
    return `@${this.handle}`;
  });
  addMethod(CreatorType, 'shortHandle', function ({ length }) {
    return this.handle.slice(0, length);
  });
  addGetter(VideoStatsType, 'viewsText', function () {
    return `${this.views} views`;
  });
  addMethod(VideoStatsType, 'shortViews', function ({ length }) {
    return String(this.views).slice(0, length);
  });
  addGetter(TrendingVideoEdgeType, 'label', function () {
    return `${this.rank}. ${this.node.title}`;
  });
  addConnectionField('summary', function () {
    return `${this.rows.length} of ${this.totalCount}`;
  });
}

/** The type of connections is declared in one class, and its fields are computed in another. */
function addConnectionField(name: string, get: (this: WindowConnection) => string): void {
  Field(() => String)(TrendingVideoConnectionType.prototype, name);
  Object.defineProperty(WindowConnection.prototype, name, { configurable: true, get });
}

/** What each computed field of a video is computed from, and the computed fields. */
export const VIDEO_FIELDS = `
  title duration durationText byline shortTitle brief: shortTitle(length: 2)
  creator { handle mention shortHandle }
  stats { views viewsText shortViews(length: 3) }
`;

/** A video with `VIDEO_FIELDS`. */
export interface ComputedVideo {
  readonly title: string;
  readonly duration: number;
  readonly creator: { readonly handle: string };
  readonly stats: { readonly views: number };
}

/** The video with the fields that should have been computed for it. */
export function withComputedFields({ title, duration, creator, stats }: ComputedVideo) {
  const { handle } = creator;
  const { views } = stats;
  return {
    title,
    duration,
    durationText: `${Math.floor(duration / 60)}:${String(duration % 60).padStart(2, '0')}`,
    byline: `@${handle}`,
    shortTitle: title.slice(0, 5),
    brief: title.slice(0, 2),
    creator: { handle, mention: `@${handle}`, shortHandle: handle.slice(0, 5) },
    stats: { views, viewsText: `${views} views`, shortViews: String(views).slice(0, 3) },
  };
}

type Class<Instance> = abstract new (...args: never[]) => Instance;

function addGetter<Instance extends object>(
  { prototype }: Class<Instance>,
  name: string,
  get: (this: Instance) => string | null,
): void {
  define(prototype, name, { configurable: true, get });
}

function addMethod<Instance extends object>(
  { prototype }: Class<Instance>,
  name: string,
  value: (this: Instance, args: LengthArgs) => string,
): void {
  Args(() => LengthArgs)(prototype, name, 0);
  define(prototype, name, { configurable: true, value });
}

/** As if the member was declared in the class, under `@Field`. */
function define(prototype: object, name: string, descriptor: PropertyDescriptor): void {
  Object.defineProperty(prototype, name, descriptor);
  Field(() => String, { nullable: true })(prototype, name, descriptor);
}
