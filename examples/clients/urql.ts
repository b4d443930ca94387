// urql: graphcache merges a chart's windows into one list in both directions, and reads from it.
import { Client, fetchExchange, gql, type TypedDocumentNode } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';

const url = process.argv[2] ?? 'http://localhost:4000/graphql';

interface Chart {
  readonly edges: readonly {
    readonly cursor: string;
    readonly rank: number;
    readonly node: {
      readonly title: string;
      readonly creator: { readonly handle: string } | null;
      /** Null where KeyAPI does not know the video, or its numbers are unavailable. */
      readonly stats: { readonly views: number | null } | null;
    };
  }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean };
}
type Window = Readonly<Record<string, number | string | undefined>>;

const CHART: TypedDocumentNode<{ readonly trendingVideos: Chart | null }, Window> = gql`
  query Chart($first: Int, $after: String, $last: Int, $before: String) {
    trendingVideos(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor rank node { id title creator { handle } stats { views } } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;

function createClient(): Client {
  return new Client({
    url,
    // A response to a GET may be a copy, and does not say what was paid for it.
    preferGetMethod: false,
    exchanges: [
      cacheExchange({
        // `outwards`: windows paged backwards come before windows paged forwards.
        resolvers: {
          Query: { trendingVideos: relayPagination({ mergeMode: 'outwards' }) },
          // A field with an error is not cached: without this, a chart could not be read because some numbers are missing.
          TrendingVideo: {
            stats: (_parent, _args, cache, { parentKey }) => cache.resolve(parentKey, 'stats') ?? null,
          },
        },
        // These have no id: they are cached as parts of their video.
        keys: { Creator: () => null, VideoStats: () => null },
      }),
      fetchExchange,
    ],
  });
}

/** Loads a window; returns everything of the chart that is then in the cache. */
async function load(client: Client, window: Window): Promise<Chart> {
  const { data, error, extensions, operation } = await client.query(CHART, window).toPromise();
  if (!data?.trendingVideos) throw error ?? new Error('The chart is unavailable');
  // Errors beside data: here, one for all videos of the window that have no numbers.
  for (const { extensions } of error?.graphQLErrors ?? [])
    console.log(`  ${extensions.code}: ${extensions.videos} videos have no numbers`);
  const { edges, pageInfo } = data.trendingVideos;
  const isCached = operation.context.meta?.cacheOutcome === 'hit';
  console.log(
    `  ${Object.keys(window).join(' ')}: ${isCached ? 'from the cache' : `${extensions?.upstream.credits} credits`}`,
  );
  const ranks = edges.map(({ rank }) => rank).join(' ');
  console.log(
    `  ranks ${ranks}; more before: ${pageInfo.hasPreviousPage}, more after: ${pageInfo.hasNextPage}`,
  );
  return data.trendingVideos;
}

console.log('A chart from the top, then forwards:');
const reader = createClient();
const top = await load(reader, { first: 8 });
const { edges } = await load(reader, { first: 8, after: top.edges.at(-1)?.cursor });

console.log('\nAnother client starts after that, pages backwards twice, then forwards:');
const visitor = createClient();
const middle = await load(visitor, { first: 8, after: edges.at(-1)?.cursor });
// relayPagination does not report what is before a window requested with `after`: use its first edge's cursor.
const more = await load(visitor, { last: 8, before: middle.edges[0]?.cursor });
await load(visitor, { last: 8, before: more.edges[0]?.cursor });
const all = await load(visitor, { first: 8, after: middle.edges.at(-1)?.cursor });
for (const { rank, node } of all.edges.slice(0, 3)) {
  const views = node.stats?.views?.toLocaleString('en') ?? 'unknown';
  console.log(`  ${rank}. ${node.title} (${node.creator?.handle}), views: ${views}`);
}

console.log('\nThe window in the middle again:');
await load(visitor, { first: 8, after: edges.at(-1)?.cursor });
