import { createServer } from 'node:http';
import { createGatewayRuntime } from '@graphql-hive/gateway-runtime';
import InMemoryLRUCache from '@graphql-mesh/cache-inmemory-lru';
import { HOST, MAX_RESPONSES, readSettings } from './settings.ts';

// Hive Gateway over the supergraph that was composed from KeyAPI's OpenAPI document.
const settings = readSettings();
const gateway = createGatewayRuntime({
  supergraph: process.env.SUPERGRAPH ?? '',
  logging: false,
  graphiql: false,
  landingPage: false,
  cache: new InMemoryLRUCache({ max: MAX_RESPONSES }),
  // Nothing is invalidated by id here, so the cache need not store ids.
  ...(settings.responseCache && { responseCaching: { session: () => null, idFields: [] } }),
});
createServer(gateway).listen(settings.port, HOST);
