// Apollo Client: merges windows into one list in both directions, and sends documents as hashes.
import { createHash } from 'node:crypto';
import {
  ApolloClient,
  ApolloLink,
  gql,
  HttpLink,
  InMemoryCache,
  type TypedDocumentNode,
} from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { relayStylePagination } from '@apollo/client/utilities';
import { filter, firstValueFrom, tap } from 'rxjs';

const url = process.argv[2] ?? 'http://localhost:4000/graphql';

interface Chart {
  readonly edges: readonly {
    readonly rank: number;
    readonly node: {
      readonly __typename: 'TrendingVideo';
      readonly id: string;
      readonly title: string;
      /** Null where KeyAPI does not know the video, or its numbers are unavailable. */
      readonly stats: { readonly views: number | null } | null;
    };
  }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string;
    readonly endCursor: string;
  };
}
type Window = Readonly<Record<string, number | string | null>>;

const CHART: TypedDocumentNode<{ readonly trendingVideos: Chart | null }, Window> = gql`
  query Chart($first: Int, $after: String, $last: Int, $before: String) {
    trendingVideos(first: $first, after: $after, last: $last, before: $before) {
      edges { rank node { id title stats { views } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
const TITLE: TypedDocumentNode<{ readonly title: string }> = gql`fragment Title on TrendingVideo { title }`;

/**
 * Logs requests and their costs. Only a link can read `extensions`: Apollo Client does not pass them on. A response to a GET
 * may be a copy, and does not say what was paid for it.
 */
const logRequests = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    tap(({ errors, extensions }) => {
      const { fetchOptions, http } = operation.getContext();
      const sent = `${fetchOptions?.method ?? 'POST'} ${http?.includeQuery ? 'document and hash' : 'hash alone'}`;
      const refusal = errors?.find(({ path }) => path === undefined);
      console.log(`  ${sent}: ${refusal?.message ?? `${extensions?.upstream.credits} credits`}`);
      // One error for all videos of the window that have no numbers.
      for (const { extensions } of errors ?? [])
        if (extensions?.videos)
          console.log(`  ${extensions.code}: ${extensions.videos} videos have no numbers`);
    }),
  ),
);

function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({
      typePolicies: {
        // Each combination of these arguments is another chart; the other arguments select a window of it.
        Query: { fields: { trendingVideos: relayStylePagination(['region', 'period', 'orderBy']) } },
      },
    }),
    link: ApolloLink.from([
      new PersistedQueryLink({
        sha256: (document: string) => createHash('sha256').update(document).digest('hex'),
        useGETForHashedQueries: true,
      }),
      logRequests,
      // The server refuses GET without a header that other sites cannot send.
      new HttpLink({ uri: url, headers: { 'apollo-require-preflight': 'true' } }),
    ]),
  });
}

/** Data beside errors: by default Apollo Client drops the whole chart when the numbers on its videos are unavailable. */
const errorPolicy = 'all';

/** Watches a chart from this window on, as a component would. Returns its `fetchMore`. */
async function watch(client: ApolloClient, variables: Window): Promise<(window: Window) => Promise<void>> {
  const query = client.watchQuery({ query: CHART, variables, errorPolicy });
  query.subscribe(() => undefined);
  await firstValueFrom(query.pipe(filter(({ loading }) => !loading)));
  printRanks(client);
  return async (window) => {
    await query.fetchMore({ variables: window, errorPolicy });
    printRanks(client);
  };
}

/** Everything of the chart that is in the cache. */
function read(client: ApolloClient): Chart {
  const chart = client.readQuery({ query: CHART })?.trendingVideos;
  if (!chart) throw new Error('The chart is not in the cache');
  return chart;
}

function printRanks(client: ApolloClient): void {
  const { edges, pageInfo } = read(client);
  const ranks = edges.map(({ rank }) => rank).join(' ');
  console.log(
    `  ranks ${ranks}; more before: ${pageInfo.hasPreviousPage}, more after: ${pageInfo.hasNextPage}`,
  );
}

console.log('A chart from the top, then forwards:');
const reader = createClient();
const fetchNext = await watch(reader, { first: 8 });
await fetchNext({ after: read(reader).pageInfo.endCursor });

console.log('\nAnother client starts after that, pages backwards twice, then forwards:');
const visitor = createClient();
const fetchMore = await watch(visitor, { first: 8, after: read(reader).pageInfo.endCursor });
// fetchMore merges these with the variables of the watched window: null removes them.
const backwards = { first: null, after: null, last: 8 };
await fetchMore({ ...backwards, before: read(visitor).pageInfo.startCursor });
await fetchMore({ ...backwards, before: read(visitor).pageInfo.startCursor });
await fetchMore({ after: read(visitor).pageInfo.endCursor });
for (const { rank, node } of read(visitor).edges.slice(0, 3)) {
  console.log(`  ${rank}. ${node.title}, views: ${node.stats?.views?.toLocaleString('en') ?? 'unknown'}`);
}

console.log('\nThe chart again, and its first video by id, from the cache:');
const { data } = await visitor.query({ query: CHART, variables: { first: 8 }, errorPolicy });
console.log(`  ${data?.trendingVideos?.edges.length} videos`);
const id = visitor.cache.identify({ ...read(visitor).edges[0]?.node }) ?? '';
console.log(`  ${id}: ${visitor.readFragment({ fragment: TITLE, id })?.title}`);
