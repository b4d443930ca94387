import { fileURLToPath } from 'node:url';

const { env } = process;

/** The URL of each GraphQL server; environment variables override the defaults. */
export const ADDRESSES = {
  trendingVideos: env.TRENDING_VIDEOS_URL ?? 'http://127.0.0.1:4000/graphql',
  reviews: env.REVIEWS_URL ?? 'http://127.0.0.1:4001/',
  collections: env.COLLECTIONS_URL ?? 'http://127.0.0.1:4002/',
};

/** The API key for the trending videos, if they require one. */
export const TRENDING_VIDEOS_KEY = env.TRENDING_VIDEOS_KEY;

/** The file of the composed supergraph. */
export const SUPERGRAPH =
  env.SUPERGRAPH ?? fileURLToPath(new URL('dist/supergraph.graphql', import.meta.url));
