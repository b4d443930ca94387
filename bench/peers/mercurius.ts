import Fastify from 'fastify';
import mercurius, { type MercuriusOptions } from 'mercurius';
import { typeDefs } from './schema.ts';
import { HOST, MAX_RESPONSES, readSettings } from './settings.ts';
import { createStatsContext, statsResolvers } from './stats.ts';
import { createTrendingVideos, type WindowArguments } from './trendingVideos.ts';

/** How long an expired result is served while it cannot be fetched again, as in this product. */
const STALE_SECONDS = 86_400;

// Mercurius in Fastify; `jit: 1` compiles a document after its first request.
const settings = readSettings();
const trendingVideos = createTrendingVideos(settings);
const app = Fastify();
const options: MercuriusOptions = {
  schema: typeDefs,
  resolvers: {
    Query: { trendingVideos: (_: unknown, window: WindowArguments) => trendingVideos(window) },
    ...statsResolvers,
  } as NonNullable<MercuriusOptions['resolvers']>,
  context: createStatsContext(settings.keyapiUrl),
  jit: 1,
};
await app.register(mercurius.default, options);
if (settings.responseCache) {
  const { default: cache } = await import('mercurius-cache');
  await app.register(cache.default, {
    ttl: settings.ttlSeconds,
    stale: STALE_SECONDS,
    policy: { Query: { trendingVideos: true } },
    storage: { type: 'memory', options: { size: MAX_RESPONSES } },
  });
}
await app.listen({ port: settings.port, host: HOST });
