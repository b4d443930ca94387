import { PAGE_SIZE } from '../api/windows.ts';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';
import type { CompareColumnFragment } from '../generated/documents.ts';
import { Age } from '../page/Age.tsx';
import { Comparison } from '../page/Comparison.tsx';
import { Cover } from '../page/Cover.tsx';
import { Movement } from '../page/Movement.tsx';
import type { Place } from '../page/place.ts';
import { usePosition } from '../page/position.ts';
import { Skeletons } from '../page/Skeletons.tsx';
import { TikTokLink } from '../page/TikTokLink.tsx';
import { formatNumber, ordinal, regionName } from '../page/words.ts';
import { useColumns } from './useColumns.ts';

/** Where a video is on a chart. */
interface Standing {
  readonly region: string;
  readonly rank: number;
}

/** Where each video is in all columns, by its id. */
type Standings = ReadonlyMap<string, readonly Standing[]>;

/** The tops of several regions side by side. */
export function Compare({ place }: { readonly place: Place }) {
  const { columns, failure, isLoading, retry } = useColumns(place);
  const loaded = columns.filter(({ chart }) => chart);
  usePosition(
    '',
    () => 0,
    () => loaded.length > 0,
  );
  const failures = [failure, ...columns.map((column) => column.failure)];
  const retryAt = useAutomaticRetry(
    failures.find((each) => each?.isRetryable),
    retry,
    loaded.length,
  );
  const attempt = { isRetrying: isLoading, retryAt, onRetry: retry };
  const standings = findStandings(columns);
  // A column without content would be an empty heading.
  const filled = columns.filter((column) => column.chart || column.failure || !failure);
  return (
    <>
      {failure && <Failure explanation={failure} {...attempt} />}
      <div className="columns" aria-busy={isLoading}>
        {filled.map((column) => (
          <section key={column.region} className="column" aria-labelledby={`column-${column.region}`}>
            <h2 id={`column-${column.region}`}>{regionName(column.region)}</h2>
            {column.failure && (
              <Failure
                explanation={column.failure}
                {...attempt}
                retryAt={column.failure.isRetryable ? retryAt : undefined}
              />
            )}
            {column.chart && (
              <ColumnContent region={column.region} chart={column.chart} standings={standings} />
            )}
            {!column.chart && !column.failure && <Skeletons list="rows" item="row" count={PAGE_SIZE} />}
          </section>
        ))}
      </div>
    </>
  );
}

function findStandings(
  columns: readonly { readonly region: string; readonly chart: CompareColumnFragment | undefined }[],
): Standings {
  const all = columns.flatMap(({ region, chart }) =>
    (chart?.edges ?? []).map(({ rank, node }) => ({ id: node.id, region, rank })),
  );
  return Map.groupBy(all, ({ id }) => id);
}

/** The top of one region: how old it is, and its videos. */
function ColumnContent({
  region,
  chart,
  standings,
}: {
  readonly region: string;
  readonly chart: CompareColumnFragment;
  readonly standings: Standings;
}) {
  return (
    <>
      <p className="facts">
        <Age facts={chart} />
        <Comparison chart={chart} />
      </p>
      <ol className="rows" aria-label={`Top videos: ${regionName(region)}`}>
        {chart.edges.map((edge) => {
          const { rank, node } = edge;
          const elsewhere = standings.get(node.id)?.filter((standing) => standing.region !== region) ?? [];
          return (
            <li key={node.id} className={elsewhere.length > 0 ? 'row row-shared' : 'row'}>
              <TikTokLink className="row-video" href={node.itemUrl} isFocusable>
                <Cover video={node} />
                <span className="row-rank">
                  <span className="rank">
                    <span className="visually-hidden">Rank </span>
                    {formatNumber(rank)}
                  </span>
                  <Movement edge={edge} />
                </span>
                <span className="row-text">
                  <span className="title">
                    <span className="caption" dir="auto">
                      {node.title || 'Untitled'}
                    </span>
                  </span>
                  {node.creator && <span className="creator">@{node.creator.handle}</span>}
                  {elsewhere.length > 0 && (
                    <span className="also">Also in: {elsewhere.map(formatStanding).join(', ')}</span>
                  )}
                </span>
              </TikTokLink>
            </li>
          );
        })}
      </ol>
    </>
  );
}

/** `India (18th)`. */
function formatStanding({ region, rank }: Standing): string {
  return `${regionName(region)} (${ordinal(rank)})`;
}
