import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client';
import { chartPagination } from './chartPagination.ts';
import { addCost } from './cost.ts';
import { setFreshness } from './freshness.ts';

/**
 * Fetches, and notes what a response says besides its data: its cost, and until when it is fresh. Ignores Apollo
 * Client's abort signal: an aborted request is paid for all the same, so its cost must be counted too.
 */
const notingFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, { ...init, signal: null });
  const text = await response.text();
  addCost(parseUpstream(text));
  const { operationName, variables } = JSON.parse(String(init?.body));
  if (operationName === 'Chart') setFreshness(variables, response.headers.get('cache-control'));
  return new Response(text, response);
};

/** `extensions.upstream`; undefined if this is not a response of the API. */
function parseUpstream(text: string): Parameters<typeof addCost>[0] {
  try {
    return JSON.parse(text).extensions?.upstream;
  } catch {
    return undefined;
  }
}

/** A client for the API at this page's own origin. */
export function createClient(): ApolloClient {
  return new ApolloClient({
    cache: new InMemoryCache({
      typePolicies: {
        Query: { fields: { trendingVideos: chartPagination } },
        // While numbers are unavailable, those that have been loaded stay.
        TrendingVideo: { fields: { stats: { merge: (existing, incoming) => incoming ?? existing ?? null } } },
      },
    }),
    link: new HttpLink({ uri: '/graphql', fetch: notingFetch }),
  });
}
