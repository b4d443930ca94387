import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { chartPagination } from './chartPagination.ts';
import { addCost } from './cost.ts';

/**
 * Fetches, and adds the cost that the response reports to the total. Ignores Apollo Client's abort signal: an aborted
 * request is paid for all the same, so its cost must be counted too.
 */
const countingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, signal: null });
  const counted = response.clone();
  void counted.json().then(
    ({ extensions }) => addCost(extensions?.upstream),
    // Not a response of the API.
    () => undefined,
  );
  return response;
};

/** A client for the API at this page's own origin. */
export function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { trendingVideos: chartPagination } } } }),
    link: new HttpLink({ uri: '/graphql', fetch: countingFetch }),
  });
}
