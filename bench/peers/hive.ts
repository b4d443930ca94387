import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import InMemoryLRUCache from '@graphql-mesh/cache-inmemory-lru';
import { HOST, readSettings, TTL_SECONDS } from './settings.ts';

// Hive Gateway over the supergraph that was composed from KeyAPI's OpenAPI document.
const settings = readSettings();
const gateway = createGatewayRuntime({
  supergraph: process.env.SUPERGRAPH ?? '',
  logging: false,
  graphiql: false,
  landingPage: false,
  cache: new InMemoryLRUCache(),
  ...(settings.responseCache && { responseCaching: { session: () => null, ttl: TTL_SECONDS * 1000 } }),
});
createServer(gateway).listen(settings.port, HOST);
