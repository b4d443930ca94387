import { fileURLToPath } from 'node:url';

const { env } = process;

/** Where each GraphQL server is; the environment may say otherwise. */
export const ADDRESSES = {
  trendingVideos: env.TRENDING_VIDEOS_URL ?? 'http://127.0.0.1:4000/graphql',
  reviews: env.REVIEWS_URL ?? 'http://127.0.0.1:4001/',
  collections: env.COLLECTIONS_URL ?? 'http://127.0.0.1:4002/',
};

/** What the trending videos are to be shown when they ask for an API key. */
export const TRENDING_VIDEOS_KEY = env.TRENDING_VIDEOS_KEY;

/** Where the composed supergraph is kept. */
export const SUPERGRAPH =
  env.SUPERGRAPH ?? fileURLToPath(new URL('dist/supergraph.graphql', import.meta.url));
