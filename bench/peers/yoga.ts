import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { typeDefs } from './schema.ts';
import { HOST, MAX_ANSWERS, readSettings } from './settings.ts';
import { createTrendingVideos, type WindowArguments } from './trendingVideos.ts';

// GraphQL Yoga on node:http, as its documentation has it; its caches of parsed and checked documents are on.
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
  const cache = createInMemoryCache({ max: MAX_ANSWERS });
  // Nothing is ever invalidated by its id, so that ids need not be kept beside the answers.
  return useResponseCache({ session: () => null, cache, idFields: [] });
}
