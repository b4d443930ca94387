// Apollo Client: windows merge into one list, whichever way it is paged, and documents travel as hashes.
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
    readonly node: { readonly __typename: 'TrendingVideo'; readonly id: string; readonly title: string };
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
      edges { rank node { id title } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;
const TITLE: TypedDocumentNode<{ readonly title: string }> = gql`fragment Title on TrendingVideo { title }`;

/** Apollo Client keeps the `extensions` of an answer to itself: a link sees them on the way. */
const tellRequests = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    tap(({ errors, extensions }) => {
      const { fetchOptions, http } = operation.getContext();
      const sent = `${fetchOptions?.method ?? 'POST'} ${http?.includeQuery ? 'document and hash' : 'hash alone'}`;
      console.log(`  ${sent}: ${errors?.[0]?.message ?? `${extensions?.upstream.credits} credits`}`);
    }),
  ),
);

function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({
      typePolicies: {
        // These arguments make another chart; all others, another window of it.
        Query: { fields: { trendingVideos: relayStylePagination(['region', 'period', 'orderBy']) } },
      },
    }),
    link: ApolloLink.from([
      new PersistedQueryLink({
        sha256: (document: string) => createHash('sha256').update(document).digest('hex'),
        useGETForHashedQueries: true,
      }),
      tellRequests,
      // Without such a header a GET could come from a picture on anyone's page, and is refused.
      new HttpLink({ uri: url, headers: { 'apollo-require-preflight': 'true' } }),
    ]),
  });
}

/** Watches a chart from a window on, as a component does that shows it; gives its `fetchMore`. */
async function watch(client: ApolloClient, variables: Window): Promise<(window: Window) => Promise<void>> {
  const query = client.watchQuery({ query: CHART, variables });
  query.subscribe(() => undefined);
  await firstValueFrom(query.pipe(filter(({ loading }) => !loading)));
  tellRanks(client);
  return async (window) => {
    await query.fetchMore({ variables: window });
    tellRanks(client);
  };
}

/** All of the chart that the cache has. */
function read(client: ApolloClient): Chart {
  const chart = client.readQuery({ query: CHART })?.trendingVideos;
  if (!chart) throw new Error('The chart cannot be had');
  return chart;
}

function tellRanks(client: ApolloClient): void {
  const { edges, pageInfo } = read(client);
  const ranks = edges.map(({ rank }) => rank).join(' ');
  console.log(
    `  ranks ${ranks}; more before: ${pageInfo.hasPreviousPage}, more behind: ${pageInfo.hasNextPage}`,
  );
}

console.log('A chart from the top, then forwards:');
const reader = createClient();
const fetchBehind = await watch(reader, { first: 8 });
await fetchBehind({ after: read(reader).pageInfo.endCursor });

console.log('\nAnother client from behind that, twice backwards, then forwards:');
const visitor = createClient();
const fetchMore = await watch(visitor, { first: 8, after: read(reader).pageInfo.endCursor });
// fetchMore adds to the variables of the window that is watched: null takes them away.
const backwards = { first: null, after: null, last: 8 };
await fetchMore({ ...backwards, before: read(visitor).pageInfo.startCursor });
await fetchMore({ ...backwards, before: read(visitor).pageInfo.startCursor });
await fetchMore({ after: read(visitor).pageInfo.endCursor });
for (const { rank, node } of read(visitor).edges.slice(0, 3)) console.log(`  ${rank}. ${node.title}`);

console.log('\nThe chart once more, and its first video by id, from the cache:');
const { data } = await visitor.query({ query: CHART, variables: { first: 8 } });
console.log(`  ${data?.trendingVideos?.edges.length} videos`);
const id = visitor.cache.identify({ ...read(visitor).edges[0]?.node }) ?? '';
console.log(`  ${id}: ${visitor.readFragment({ fragment: TITLE, id })?.title}`);
