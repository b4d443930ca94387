import { useQuery } from '@apollo/client/react';
import { useRef } from 'react';
import { Age } from './Age.tsx';
import { Cover } from './Cover.tsx';
import { errorsOf, explain, explainError } from './explainError.ts';
import { Failure } from './Failure.tsx';
import { type CompareColumnFragment, CompareDocument } from './generated/documents.ts';
import type { Place } from './place.ts';
import { ordinal, regionName } from './words.ts';

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
  const { data, error, loading, refetch } = useQuery(CompareDocument, {
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
  const retry = { isRetrying: loading, onRetry: () => void refetch().catch(() => undefined) };
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
  return (
    <>
      {error && !columns.some(({ failed }) => failed) && (
        <Failure explanation={explainError(error)} {...retry} />
      )}
      <div className="columns" aria-busy={loading}>
        {columns.map(({ region, failed, chart }) => (
          <section key={region} className="column" aria-labelledby={`column-${region}`}>
            <h2 id={`column-${region}`}>{regionName(region)}</h2>
            {chart && <Column region={region} chart={chart} positions={positions} />}
            {failed && <Failure explanation={explain(failed)} {...retry} />}
            {!chart && !error && <Skeletons />}
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
        {chart.edges.map(({ rank, node }) => {
          const elsewhere = positions.get(node.id)?.filter((position) => position.region !== region) ?? [];
          return (
            <li key={node.id} className={elsewhere.length > 0 ? 'row row-shared' : 'row'}>
              <a href={node.itemUrl} target="_blank" rel="noreferrer">
                <Cover video={node} />
                <span className="rank">
                  <span className="visually-hidden">Rank </span>
                  {rank}
                </span>
                <span className="title">{node.title || 'Untitled'}</span>
                {elsewhere.length > 0 && (
                  <span className="also">Also in: {elsewhere.map(formatPosition).join(', ')}</span>
                )}
              </a>
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
