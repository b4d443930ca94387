import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, makeVar } from '@apollo/client';
import { tap } from 'rxjs';
import { CHART } from './client-preset/src/documents.ts';
import type { ResponseExtensions } from './extensions.ts';
import { retryingFetch } from './retryingFetch.ts';

/** What this page has cost so far. In a component: `useReactiveVar(credits)`. */
const credits = makeVar(0);

const costLink = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    tap((result) => {
      const extensions = result.extensions as ResponseExtensions | undefined;
      credits(credits() + (extensions?.upstream.credits ?? 0));
    }),
  ),
);

const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.from([
    costLink,
    new HttpLink({ uri: 'http://localhost:4000/graphql', fetch: retryingFetch }),
  ]),
});

for (const first of [2, 2, 3]) {
  const { data } = await client.query({ query: CHART, variables: { region: 'US', first } });
  for (const { rank, node } of data?.trendingVideos?.edges ?? []) {
    console.log(`${rank}. ${node.title}, views: ${node.stats?.views?.toLocaleString('en')}`);
  }
  console.log(`${credits()} credits so far`);
}
