import { defineConfig } from '@graphql-hive/gateway';
import { TRENDING_VIDEOS_KEY } from '../addresses.ts';

/** Settings that the Hive Gateway's command line has no options for. */
export const gatewayConfig = defineConfig({
  propagateHeaders: {
    fromClientToSubgraphs: ({ subgraphName }) =>
      subgraphName === 'trending-videos' && TRENDING_VIDEOS_KEY ? { 'x-api-key': TRENDING_VIDEOS_KEY } : {},
  },
});
