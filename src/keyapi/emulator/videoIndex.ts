import { COUNTRY_CODES } from '../../domain/countryCode.ts';
import { countVideos, makeVideo, type Video, visitIdMiddles, WORLD } from './videos.ts';

const PLACES = [WORLD, ...COUNTRY_CODES];

/** A power of two, and more than twice the number of videos. */
const SLOTS = 2 ** 20;

/** Shared by all emulators, whose videos are the same. Most of them get no request for numbers, and need no index. */
let index: Uint32Array | undefined;

/**
 * Finds a video by its id, whether or not it has been served; undefined for an unknown id. The first call fills the
 * index of all videos: 4 MB, in less than 100 ms.
 */
export function findVideo(itemId: string): Video | undefined {
  if (!/^7\d{18}$/.test(itemId)) return undefined;
  index ??= fillSlots();
  let slot = firstSlot(Number(itemId.slice(1, 10)));
  for (let number = index[slot]; number; number = index[slot]) {
    const video = videoAt(number - 1);
    if (video.itemId === itemId) return video;
    slot = nextSlot(slot);
  }
  return undefined;
}

/** A hash table with open addressing, of numbers of videos, counted from 1 through all places; 0 is an empty slot. */
function fillSlots(): Uint32Array {
  const slots = new Uint32Array(SLOTS);
  let number = 0;
  for (const place of PLACES) {
    visitIdMiddles(place, (middle) => {
      let slot = firstSlot(middle);
      while (slots[slot]) slot = nextSlot(slot);
      slots[slot] = ++number;
    });
  }
  return slots;
}

/** The video with this number, counted from 0. */
function videoAt(number: number): Video {
  const worldwide = countVideos(WORLD);
  if (number < worldwide) return makeVideo(WORLD, number);
  const others = number - worldwide;
  // Each region has as many videos as any other.
  const regional = countVideos('US');
  const place = PLACES[1 + Math.floor(others / regional)] ?? WORLD;
  return makeVideo(place, others % regional);
}

/** The middle of an id is a hash already. */
function firstSlot(middle: number): number {
  return middle & (SLOTS - 1);
}

/** The next slot, in a ring. */
function nextSlot(slot: number): number {
  return (slot + 1) & (SLOTS - 1);
}
