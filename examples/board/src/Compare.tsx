import { useQuery } from '@apollo/client/react';
import { useRef } from 'react';
import { Age } from './Age.tsx';
import { Cover } from './Cover.tsx';
import { errorsOf, explain, explainError } from './explainError.ts';
import { Failure } from './Failure.tsx';
import { type CompareColumnFragment, CompareDocument } from './generated/documents.ts';
import type { Place } from './place.ts';
import { regionName } from './words.ts';

const ALIASES = ['a', 'b', 'c', 'd'] as const;
/** One page of the provider for each region, 2 credits where nobody holds it yet. */
const WINDOW = 20;

/** Where each video stands, by its id: the regions and ranks of all columns that have it. */
type Places = ReadonlyMap<string, readonly { readonly region: string; readonly rank: number }[]>;

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
    // What comes is shown, whatever else fails.
    errorPolicy: 'all',
    // A window of its own, which must not take the place of the chart's list in the cache.
    fetchPolicy: 'no-cache',
  });
  const retry = { isRetrying: loading, onRetry: () => void refetch().catch(() => undefined) };
  const errors = errorsOf(error);
  // What has been seen stays while another region comes, or when nothing does.
  const seen = useRef(new Map<string, CompareColumnFragment>()).current;
  const columns = regions.map((region, index) => {
    const alias = ALIASES[index] ?? 'a';
    const key = `${region} ${period} ${orderBy}`;
    const came = data?.[alias];
    if (came) seen.set(key, came);
    const failed = errors.find(({ path }) => path?.[0] === alias);
    return { region, failed, chart: failed ? undefined : seen.get(key) };
  });
  const places = findPlaces(columns);
  return (
    <>
      {error && !columns.some(({ failed }) => failed) && (
        <Failure explanation={explainError(error)} {...retry} />
      )}
      <div className="columns" aria-busy={loading}>
        {columns.map(({ region, failed, chart }) => (
          <section key={region} className="column" aria-labelledby={`column-${region}`}>
            <h2 id={`column-${region}`}>{regionName(region)}</h2>
            {chart && <Column region={region} chart={chart} places={places} />}
            {failed && <Failure explanation={explain(failed)} {...retry} />}
            {!chart && !error && <Skeletons />}
          </section>
        ))}
      </div>
    </>
  );
}

function findPlaces(
  columns: readonly { readonly region: string; readonly chart: CompareColumnFragment | undefined }[],
): Places {
  const standings = columns.flatMap(({ region, chart }) =>
    (chart?.edges ?? []).map(({ rank, node }) => ({ id: node.id, region, rank })),
  );
  return Map.groupBy(standings, ({ id }) => id);
}

function Column({
  region,
  chart,
  places,
}: {
  readonly region: string;
  readonly chart: CompareColumnFragment;
  readonly places: Places;
}) {
  return (
    <>
      <p className="facts">
        <Age facts={chart} />
      </p>
      <ol className="rows" aria-label={`Top of ${regionName(region)}`}>
        {chart.edges.map(({ rank, node }) => {
          const elsewhere = places.get(node.id)?.filter((place) => place.region !== region) ?? [];
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
                  <span className="also">
                    Also{' '}
                    {elsewhere.map((place) => `${place.rank}. in ${regionName(place.region)}`).join(', ')}
                  </span>
                )}
              </a>
            </li>
          );
        })}
      </ol>
    </>
  );
}

function Skeletons() {
  return (
    <>
      <p className="facts" role="status">
        Loading…
      </p>
      <div className="rows">
        {Array.from({ length: WINDOW }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: nothing but their number tells them apart.
          <span className="row skeleton" key={index} aria-hidden="true" />
        ))}
      </div>
    </>
  );
}
