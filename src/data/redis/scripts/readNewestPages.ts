import { type PageKey, parsePageId } from '../../../domain/page.ts';
import type { KnownVideo } from './findPages.ts';
import pageHeader from './pageHeader.lua';
import readNewestPagesLua from './readNewestPages.lua';
import { keyOfPageId, keyOfVideo } from './redisKeys.ts';
import { defineScript, type RunScript } from './script.ts';

const script = defineScript('readNewestPages', pageHeader, readNewestPagesLua);

/** Reads, of the pages that `findPages` has found, those with the newest copy of a video. */
export async function readNewestPages(
  run: RunScript,
  { videos, pageIds }: { readonly videos: readonly KnownVideo[]; readonly pageIds: readonly string[] },
): Promise<{ readonly page: PageKey; readonly value: Buffer }[]> {
  const keys = [...videos.map(({ itemId }) => keyOfVideo(itemId)), ...pageIds.map(keyOfPageId)];
  const args = [videos.length, ...videos.map(({ knownSequence }) => knownSequence), ...pageIds];
  const values = await run(script, keys, args);
  return pageIds.flatMap((id, index) => {
    const page = parsePageId(id);
    const value = values[index];
    return page && value instanceof Buffer ? [{ page, value }] : [];
  });
}
