import { startTransition } from 'react';
import { graphql, useLazyLoadQuery, usePaginationFragment, useRefetchableFragment } from 'react-relay';
import type { Chart_query$key } from './__generated__/Chart_query.graphql.ts';
import type { ChartQuery } from './__generated__/ChartQuery.graphql.ts';
import type { ChartVideo_video$key } from './__generated__/ChartVideo_video.graphql.ts';

/** A chart from the top, or from after the cursor in a link. */
export function Chart({ after }: { readonly after: string | null }) {
  const query = useLazyLoadQuery<ChartQuery>(
    graphql`
      query ChartQuery($after: String) {
        ...Chart_query @arguments(first: 8, after: $after)
      }
    `,
    { after },
  );
  return <Windows query={query} />;
}

function Windows({ query }: { readonly query: Chart_query$key }) {
  const { data, hasPrevious, loadPrevious, hasNext, loadNext } = usePaginationFragment(
    graphql`
      fragment Chart_query on Query
      @refetchable(queryName: "ChartPaginationQuery")
      @argumentDefinitions(
        # Relay lets only nullable variables have defaults.
        region: { type: "CountryCode", defaultValue: "US" }
        period: { type: "TrendingPeriod", defaultValue: LAST_7_DAYS }
        orderBy: { type: "TrendingOrder", defaultValue: VIEWS }
        first: { type: "Int" }
        after: { type: "String" }
        last: { type: "Int" }
        before: { type: "String" }
      ) {
        trendingVideos(
          region: $region
          period: $period
          orderBy: $orderBy
          first: $first
          after: $after
          last: $last
          before: $before
        ) @connection(key: "Chart_trendingVideos", filters: ["region", "period", "orderBy"]) {
          edges {
            rank
            node {
              id
              ...ChartVideo_video
            }
          }
          pageInfo {
            endCursor
          }
        }
      }
    `,
    query,
  );
  const { edges = [], pageInfo } = data.trendingVideos ?? {};
  return (
    <>
      {hasPrevious && <Button name="previous" onClick={() => loadPrevious(8)} />}
      <ol>
        {edges.map(({ rank, node }) => (
          <Video key={node.id} rank={rank} video={node} />
        ))}
      </ol>
      {hasNext && <Button name="next" onClick={() => loadNext(8)} />}
      <a href={`?after=${pageInfo?.endCursor}`}>Link to the next window</a>
    </>
  );
}

function Video({ rank, video }: { readonly rank: number; readonly video: ChartVideo_video$key }) {
  const [{ title, creator, stats }, refetch] = useRefetchableFragment(
    graphql`
      fragment ChartVideo_video on TrendingVideo
      @refetchable(queryName: "ChartVideoRefetchQuery")
      @argumentDefinitions(withCreator: { type: "Boolean", defaultValue: false }) {
        title
        creator @include(if: $withCreator) {
          handle
        }
        # Null where KeyAPI does not know the video, and where there is an error because its numbers are unavailable.
        stats {
          views
        }
      }
    `,
    video,
  );
  const open = () => startTransition(() => void refetch({ withCreator: true }));
  return (
    <li value={rank}>
      <cite>{title}</cite> views: <data>{stats?.views?.toLocaleString('en') ?? 'unknown'}</data>{' '}
      {creator ? `by ${creator.handle}` : <Button name="creator" onClick={open} />}
    </li>
  );
}

function Button({ name, onClick }: { readonly name: string; readonly onClick: () => void }) {
  return (
    <button type="button" name={name} onClick={onClick}>
      {name}
    </button>
  );
}
