import { absorb, digits, finish } from './random.ts';

/** A video of the emulator: all else about it follows from its seed, and is the same on every machine. */
export interface Video {
  readonly seed: string;
  /** The code of the region that it is from. */
  readonly home: string;
  readonly itemId: string;
  readonly cohort: Cohort;
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

/** How many videos of a place were posted in the last `days`. */
export function countVideos(place: string, days = Number.POSITIVE_INFINITY): number {
  const cohorts = COHORTS.filter(({ maxDays }) => maxDays <= days);
  return cohorts.reduce((count, cohort) => count + sizeOf(cohort, place), 0);
}

/** The video of a place at this index. */
export function makeVideo(place: string, index: number): Video {
  let position = index;
  for (const cohort of COHORTS) {
    const size = sizeOf(cohort, place);
    if (position < size) return toVideo(place, cohort, position);
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
    const state = absorb(`${place}/${cohort.prefix}`);
    for (const text of MIDDLES.slice(0, sizeOf(cohort, place))) visit(finish(absorb(text, state)) % 1e9);
  }
}

function toVideo(place: string, cohort: Cohort, position: number): Video {
  const seed = `${place}/${cohort.prefix}${position}`;
  const itemId = `7${digits(`${seed}/high`)}${digits(`${seed}/low`)}`;
  return { seed, home: place === WORLD ? 'US' : place, itemId, cohort };
}

function sizeOf({ worldwide, regional }: Cohort, place: string): number {
  return place === WORLD ? worldwide : regional;
}
