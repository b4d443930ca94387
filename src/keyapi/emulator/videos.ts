import { absorb, digits, finish } from './random.ts';

/** The videos of a place that were posted at about the same time. */
export interface Group {
  /** A region's code, or `WORLD`. */
  readonly place: string;
  readonly cohort: Cohort;
}

/** A video of the emulator: all else about it follows from its seed, and is the same on every machine. */
export interface Video extends Group {
  readonly seed: string;
  /** Among the videos of its group, from 0. */
  readonly position: number;
  /** The code of the region that it is from. */
  readonly home: string;
  readonly itemId: string;
}

/** Videos that were posted at about the same time. */
interface Cohort {
  /** In the seeds of its videos. Chosen so that no two videos of all regions have the same id; a test compares them. */
  readonly prefix: string;
  /** Its videos were posted more than `minDays` and at most `maxDays` ago. */
  readonly minDays: number;
  readonly maxDays: number;
  /** How many of its videos are from each region, and how many trend everywhere. */
  readonly regional: number;
  readonly worldwide: number;
}

/** The youngest videos come first. A chart of 7 days has those of the first, one of 30 days of the first two. */
const COHORTS: readonly Cohort[] = [
  { prefix: '', minDays: 1, maxDays: 7, regional: 900, worldwide: 100 },
  { prefix: 'older/', minDays: 7, maxDays: 30, regional: 300, worldwide: 30 },
  { prefix: 'past/', minDays: 30, maxDays: 120, regional: 300, worldwide: 30 },
];

/** The place of the videos that trend everywhere. The place of all others is their region. */
export const WORLD = 'world';

/** The groups of a place that were posted in the last `days`. */
export function groupsOf(place: string, days: number): Group[] {
  return COHORTS.filter(({ maxDays }) => maxDays <= days).map((cohort) => ({ place, cohort }));
}

/** How many videos a group has. */
export function sizeOf({ place, cohort }: Group): number {
  return place === WORLD ? cohort.worldwide : cohort.regional;
}

/** The code of the region that the videos of a place are from. */
export function homeOf(place: string): string {
  return place === WORLD ? 'US' : place;
}

/** What the seeds of a group's videos begin with: their positions follow. */
export function seedPrefixOf({ place, cohort }: Group): string {
  return `${place}/${cohort.prefix}`;
}

/** How many videos of a place there are. */
export function countVideos(place: string): number {
  return COHORTS.reduce((count, cohort) => count + sizeOf({ place, cohort }), 0);
}

/** The video of a place at this index. */
export function makeVideo(place: string, index: number): Video {
  let position = index;
  for (const cohort of COHORTS) {
    const size = sizeOf({ place, cohort });
    if (position < size) return toVideo({ place, cohort }, position);
    position -= size;
  }
  throw new RangeError(`expected an index below ${countVideos(place)}, but got: ${index}`);
}

/** What the middle of an item id is the hash of, after the place and the prefix. */
const MIDDLES = Array.from({ length: 900 }, (_, position) => `${position}/high`);

/**
 * Calls `visit` with digits 2 to 10 of the item id of each video of a place, as a number, in the order of their indices.
 * Several times as fast as `makeVideo`, because what the seeds of a cohort have in common is hashed once.
 */
export function visitIdMiddles(place: string, visit: (middle: number) => void): void {
  for (const cohort of COHORTS) {
    const group = { place, cohort };
    const state = absorb(seedPrefixOf(group));
    for (const text of MIDDLES.slice(0, sizeOf(group))) visit(finish(absorb(text, state)) % 1e9);
  }
}

/** The video of a group at this position. */
export function toVideo(group: Group, position: number): Video {
  const { place, cohort } = group;
  const seed = `${seedPrefixOf(group)}${position}`;
  const itemId = `7${digits(`${seed}/high`)}${digits(`${seed}/low`)}`;
  return { place, cohort, seed, position, home: homeOf(place), itemId };
}
