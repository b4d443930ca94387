import { useQuery } from '@apollo/client/react';
import { useMemo, useRef } from 'react';
import { errorsOf, explain, explainError } from '../failures/explainError.ts';
import { Failure } from '../failures/Failure.tsx';
import { useAutomaticRetry } from '../failures/useAutomaticRetry.ts';
import { useLastError } from '../failures/useLastError.ts';
import { type CompareColumnFragment, CompareDocument } from '../generated/documents.ts';
import { Age } from '../page/Age.tsx';
import { Cover } from '../page/Cover.tsx';
import { Movement } from '../page/Movement.tsx';
import type { Place } from '../page/place.ts';
import { usePosition } from '../page/position.ts';
import { TikTokLink } from '../page/TikTokLink.tsx';
import { ordinal, regionName } from '../page/words.ts';

const ALIASES = ['a', 'b', 'c', 'd'] as const;
/** One page of the provider for each region: 2 credits unless cached. */
const WINDOW = 20;

interface Position {
  readonly region: string;
  readonly rank: number;
}

/** The positions of each video in all columns, by its id. */
type Positions = ReadonlyMap<string, readonly Position[]>;

/** The tops of several regions side by side. */
export function Compare({ place: { regions, period, orderBy } }: { readonly place: Place }) {
  const [a = 'US', b, c, d] = regions;
  const {
    data,
    error: currentError,
    loading,
    refetch,
  } = useQuery(CompareDocument, {
    variables: {
      ...{ period, orderBy, first: WINDOW, a, withB: Boolean(b), withC: Boolean(c), withD: Boolean(d) },
      ...(b && { b }),
      ...(c && { c }),
      ...(d && { d }),
    },
    // Show the regions that succeeded even if others failed.
    errorPolicy: 'all',
    // In the cache this window would replace the chart's list.
    fetchPolicy: 'no-cache',
  });
  const error = useLastError(currentError, loading);
  const onRetry = (): void => void refetch().catch(() => undefined);
  const errors = errorsOf(error);
  // Regions that have loaded stay visible while another one loads, or when a request fails.
  const loaded = useRef(new Map<string, CompareColumnFragment>()).current;
  const columns = regions.map((region, index) => {
    const alias = ALIASES[index] ?? 'a';
    const key = `${region} ${period} ${orderBy}`;
    const received = data?.[alias];
    if (received) loaded.set(key, received);
    const failed = errors.find(({ path }) => path?.[0] === alias);
    return { region, failed, chart: failed ? undefined : loaded.get(key) };
  });
  const positions = findPositions(columns);
  usePosition(0, () => columns.some(({ chart }) => chart));
  const isUnanswered = error !== undefined && !columns.some(({ failed }) => failed);
  const failure = useMemo(() => (isUnanswered ? explainError(error) : undefined), [isUnanswered, error]);
  const retryAt = useAutomaticRetry(failure, onRetry);
  const retry = { isRetrying: loading, onRetry };
  // A column without content would be an empty heading.
  const filled = columns.filter(({ failed, chart }) => chart || failed || !error);
  return (
    <>
      {failure && <Failure explanation={failure} retryAt={retryAt} {...retry} />}
      <div className="columns" aria-busy={loading}>
        {filled.map(({ region, failed, chart }) => (
          <section key={region} className="column" aria-labelledby={`column-${region}`}>
            <h2 id={`column-${region}`}>{regionName(region)}</h2>
            {chart && <Column region={region} chart={chart} positions={positions} />}
            {failed && <Failure explanation={explain(failed)} {...retry} />}
            {!chart && !failed && <Skeletons />}
          </section>
        ))}
      </div>
    </>
  );
}

function findPositions(
  columns: readonly { readonly region: string; readonly chart: CompareColumnFragment | undefined }[],
): Positions {
  const all = columns.flatMap(({ region, chart }) =>
    (chart?.edges ?? []).map(({ rank, node }) => ({ id: node.id, region, rank })),
  );
  return Map.groupBy(all, ({ id }) => id);
}

function Column({
  region,
  chart,
  positions,
}: {
  readonly region: string;
  readonly chart: CompareColumnFragment;
  readonly positions: Positions;
}) {
  return (
    <>
      <p className="facts">
        <Age facts={chart} />
      </p>
      <ol className="rows" aria-label={`Top videos: ${regionName(region)}`}>
        {chart.edges.map((edge) => {
          const { rank, node } = edge;
          const elsewhere = positions.get(node.id)?.filter((position) => position.region !== region) ?? [];
          return (
            <li key={node.id} className={elsewhere.length > 0 ? 'row row-shared' : 'row'}>
              <TikTokLink className="row-video" href={node.itemUrl} isFocusable>
                <Cover video={node} />
                <span className="row-rank">
                  <span className="rank">
                    <span className="visually-hidden">Rank </span>
                    {rank}
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
                    <span className="also">Also in: {elsewhere.map(formatPosition).join(', ')}</span>
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
function formatPosition({ region, rank }: Position): string {
  return `${regionName(region)} (${ordinal(rank)})`;
}

function Skeletons() {
  return (
    <>
      <p className="facts" role="status">
        Loading…
      </p>
      <div className="rows">
        {Array.from({ length: WINDOW }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no other identity.
          <span className="row skeleton" key={index} aria-hidden="true" />
        ))}
      </div>
    </>
  );
}
