import { memo } from 'react';
import { Cover } from './Cover.tsx';
import type { VideoTileFragment } from './generated/documents.ts';
import { clockTime } from './words.ts';

/** A video with its rank. Memoised: the list can have hundreds of tiles. */
export const VideoTile = memo(function VideoTile({
  rank,
  video,
}: {
  readonly rank: number;
  readonly video: VideoTileFragment;
}) {
  const { title, itemUrl, duration, creator } = video;
  return (
    <article className="tile">
      <a className="tile-video" href={itemUrl} target="_blank" rel="noreferrer">
        <Cover video={video} isFirst={rank <= 6} />
        <span className="rank">
          <span className="visually-hidden">Rank </span>
          {rank}
        </span>
        <span className="duration">
          <span className="visually-hidden">Length </span>
          {clockTime(duration)}
        </span>
        <span className="title">{title || 'Untitled'}</span>
      </a>
      {creator && (
        <a className="creator" href={creator.url} target="_blank" rel="noreferrer">
          @{creator.handle}
        </a>
      )}
    </article>
  );
});
