import { memo } from 'react';
import type { ChartTileFragment } from '../generated/documents.ts';
import { Cover } from '../page/Cover.tsx';
import { Movement } from '../page/Movement.tsx';
import { TikTokLink } from '../page/TikTokLink.tsx';
import { clockTime, formatCompact, formatMoment, formatNumber } from '../page/words.ts';
import { Sparkline } from './Sparkline.tsx';

/** A video with its rank, movement and numbers. Memoised: the list can have hundreds of tiles. */
export const VideoTile = memo(function VideoTile({ edge }: { readonly edge: ChartTileFragment }) {
  const { rank, history, node } = edge;
  const { title, itemUrl, duration, creator, stats } = node;
  return (
    <article className="tile" data-rank={rank}>
      <TikTokLink className="tile-video" href={itemUrl} isFocusable>
        <Cover video={node} isFirst={rank <= 6} />
        <span className="badge">
          <span className="rank">
            <span className="visually-hidden">Rank </span>
            {formatNumber(rank)}
          </span>
          <Movement edge={edge} />
        </span>
        <span className="duration">
          <span className="visually-hidden">Length </span>
          {duration === 0 ? '–' : clockTime(duration)}
        </span>
        <span className="title">
          <span className="caption" dir="auto">
            {title || 'Untitled'}
          </span>
        </span>
      </TikTokLink>
      <span className="below">
        <span className="creator">
          {creator && <TikTokLink href={creator.url}>@{creator.handle}</TikTokLink>}
        </span>
        <Sparkline history={history} />
      </span>
      <span className="numbers">
        <Amount stats={stats} noun="views" />
        <Amount stats={stats} noun="likes" />
      </span>
    </article>
  );
});

/** A number on a video, rounded; a dash if it is unknown. */
function Amount({
  stats,
  noun,
}: {
  readonly stats: ChartTileFragment['node']['stats'];
  readonly noun: 'views' | 'likes';
}) {
  const number = stats?.[noun] ?? null;
  if (number === null || !stats) {
    return (
      <span className="quiet" title={`The number of ${noun} is unknown`}>
        <span aria-hidden="true">–</span>
        <span className="visually-hidden">unknown</span> {noun}
      </span>
    );
  }
  const age = stats.stale ? `, as of ${formatMoment(Date.parse(stats.fetchedAt))}` : '';
  return (
    <span className={stats.stale ? 'quiet' : undefined} title={`${formatNumber(number)} ${noun}${age}`}>
      {formatCompact(number)} {noun}
    </span>
  );
}
