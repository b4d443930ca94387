import { Client, cacheExchange, fetchExchange, mapExchange } from '@urql/core';
import type { ResponseExtensions } from './extensions.ts';
import { CHART } from './gql-tada/src/documents.ts';
import { retryingFetch } from './retryingFetch.ts';

let credits = 0;

const costExchange = mapExchange({
  onResult(result) {
    const extensions = result.extensions as ResponseExtensions | undefined;
    credits += extensions?.upstream.credits ?? 0;
  },
});

const client = new Client({
  url: 'http://localhost:4000/graphql',
  fetch: retryingFetch,
  preferGetMethod: false,
  // After the cache: what it returns has cost nothing.
  exchanges: [cacheExchange, costExchange, fetchExchange],
});

for (const first of [2, 2, 3]) {
  const { data } = await client.query(CHART, { region: 'US', first });
  for (const { rank, node } of data?.trendingVideos?.edges ?? []) {
    console.log(`${rank}. ${node.title}, views: ${node.stats?.views?.toLocaleString('en')}`);
  }
  console.log(`${credits} credits so far`);
}
