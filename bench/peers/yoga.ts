import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { typeDefs } from './schema.ts';
import { HOST, MAX_RESPONSES, readSettings } from './settings.ts';
import { createTrendingVideos, type WindowArguments } from './trendingVideos.ts';

// GraphQL Yoga on node:http, as in its documentation; its caches of parsed and validated documents are on.
const settings = readSettings();
const trendingVideos = createTrendingVideos(settings);
const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: { Query: { trendingVideos: (_: unknown, window: WindowArguments) => trendingVideos(window) } },
  }),
  logging: false,
  graphiql: false,
  landingPage: false,
  plugins: settings.responseCache ? [await createResponseCache()] : [],
});
createServer(yoga).listen(settings.port, HOST);

async function createResponseCache() {
  const { createInMemoryCache, useResponseCache } = await import('@graphql-yoga/plugin-response-cache');
  const cache = createInMemoryCache({ max: MAX_RESPONSES });
  // Nothing is invalidated by id here, so the cache need not store ids.
  return useResponseCache({
    session: () => null,
    cache,
    idFields: [],
    ttl: settings.ttlSeconds * 1000,
  });
}
