import { ApolloClient, ApolloLink, HttpLink, InMemoryCache } from '@apollo/client';
import { tap } from 'rxjs';
import { chartPagination } from './chartPagination.ts';
import { addCost } from './cost.ts';

/** Apollo Client keeps the `extensions` of an answer to itself: a link sees them on the way. */
const readCosts = new ApolloLink((operation, forward) =>
  forward(operation).pipe(tap(({ extensions }) => addCost(extensions?.upstream))),
);

/** A client of the API at this page's own address. */
export function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { trendingVideos: chartPagination } } } }),
    link: ApolloLink.from([readCosts, new HttpLink({ uri: '/graphql' })]),
  });
}
