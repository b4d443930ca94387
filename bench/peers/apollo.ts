import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl';
import { startStandaloneServer } from '@apollo/server/standalone';
import { typeDefs } from './schema.ts';
import { HOST, readSettings } from './settings.ts';
import { createStatsContext, type StatsContext, statsResolvers } from './stats.ts';
import { createTrendingVideos, type WindowArguments } from './trendingVideos.ts';

// Apollo Server as in its "Get started" guide, optionally with its response cache.
const settings = readSettings();
const trendingVideos = createTrendingVideos(settings);
const server = new ApolloServer<StatsContext>({
  typeDefs,
  resolvers: {
    Query: { trendingVideos: (_: unknown, window: WindowArguments) => trendingVideos(window) },
    ...statsResolvers,
  },
  plugins: settings.responseCache ? await createResponseCache() : [],
});
const createContext = createStatsContext(settings.keyapiUrl);
await startStandaloneServer(server, {
  context: async () => createContext(),
  listen: { host: HOST, port: settings.port },
});

/** Caches a response only if every field has a maximum age, hence the default. */
async function createResponseCache(): Promise<ApolloServerPlugin[]> {
  // Imported on demand, so that Apollo Server as installed starts without it.
  const { default: responseCache } = await import('@apollo/server-plugin-response-cache');
  return [ApolloServerPluginCacheControl({ defaultMaxAge: settings.ttlSeconds }), responseCache()];
}
