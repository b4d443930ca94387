import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginCacheControl } from '@apollo/server/plugin/cacheControl';
import { startStandaloneServer } from '@apollo/server/standalone';
import { typeDefs } from './schema.ts';
import { HOST, readSettings, TTL_SECONDS } from './settings.ts';
import { createTrendingVideos, type WindowArguments } from './trendingVideos.ts';

// Apollo Server as its "Get started" installs it; with its response cache where that is asked for.
const settings = readSettings();
const trendingVideos = createTrendingVideos(settings);
const server = new ApolloServer({
  typeDefs,
  resolvers: { Query: { trendingVideos: (_: unknown, window: WindowArguments) => trendingVideos(window) } },
  plugins: settings.responseCache ? await createResponseCache() : [],
});
await startStandaloneServer(server, { listen: { host: HOST, port: settings.port } });

/** Answers are kept only where every field has a greatest age. */
async function createResponseCache(): Promise<ApolloServerPlugin[]> {
  // Imported when it is needed, so that Apollo as installed starts without it.
  const { default: responseCache } = await import('@apollo/server-plugin-response-cache');
  return [ApolloServerPluginCacheControl({ defaultMaxAge: TTL_SECONDS }), responseCache()];
}
