import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { chartPagination } from './chartPagination.ts';
import { addCost } from './cost.ts';

/**
 * Fetches, and adds up what each answer says that it cost. Apollo Client ends a request when nobody waits for its answer any
 * more; what that costs is paid all the same, so here it goes on.
 */
const countingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, signal: null });
  const counted = response.clone();
  void counted.json().then(
    ({ extensions }) => addCost(extensions?.upstream),
    // No answer of the API's.
    () => undefined,
  );
  return response;
};

/** A client of the API at this page's own address. */
export function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { trendingVideos: chartPagination } } } }),
    link: new HttpLink({ uri: '/graphql', fetch: countingFetch }),
  });
}
