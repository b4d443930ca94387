import { describe, expect, it } from '@jest/globals';
import { COUNTRY_CODES } from '../../../src/domain/countryCode.ts';
import { findVideo } from '../../../src/keyapi/emulator/videoIndex.ts';
import { countVideos, makeVideo, WORLD } from '../../../src/keyapi/emulator/videos.ts';

describe("the index of the emulator's videos", () => {
  it('finds every video of every region by its id, which no other video has', () => {
    const lost = [WORLD, ...COUNTRY_CODES].flatMap((place) =>
      Array.from({ length: countVideos(place) }, (_, index) => makeVideo(place, index)).filter(
        // Of two videos with the same id, only one is found.
        ({ itemId, seed }) => findVideo(itemId)?.seed !== seed,
      ),
    );
    expect(lost).toEqual([]);
  });

  it.each(['7000000000000000001', '8933310081972815260', '793331008197281526', '1', '', 'x'])(
    'finds no video for %j',
    (itemId) => {
      expect(findVideo(itemId)).toBeUndefined();
    },
  );
});
