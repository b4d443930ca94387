import findPagesLua from './findPages.lua';
import { keyOfVideo } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('findPages', findPagesLua);

/** Pages that are looked at for one video. More are listed only when it moved between pages often. */
const MAX_PAGES_PER_VIDEO = 20;

/** A video, and the sequence of the newest known copy; 0 when none is known. */
export interface KnownVideo {
  readonly itemId: string;
  readonly knownSequence: number;
}

/** Finds the ids of pages that may have newer copies of these videos: see `readNewestPages`. */
export async function findPages(run: RunScript, videos: readonly KnownVideo[]): Promise<string[]> {
  const keys = videos.map(({ itemId }) => keyOfVideo(itemId));
  const pageIds = await run(script, keys, [
    MAX_PAGES_PER_VIDEO,
    ...videos.map(({ knownSequence }) => knownSequence),
  ]);
  return [...new Set(pageIds.map(String))];
}
