import { readFile } from 'node:fs/promises';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { SUPERGRAPH, TRENDING_VIDEOS_KEY } from '../addresses.ts';
import { serve } from '../serve.ts';

const gateway = new ApolloGateway({
  supergraphSdl: await readFile(SUPERGRAPH, 'utf8'),
  buildService: ({ name, url = '' }) =>
    new RemoteGraphQLDataSource({
      url,
      willSendRequest: ({ request }) => {
        if (name === 'trending-videos' && TRENDING_VIDEOS_KEY) {
          request.http?.headers.set('x-api-key', TRENDING_VIDEOS_KEY);
        }
      },
    }),
});

await serve('Apollo gateway', new ApolloServer({ gateway }), 4100);
