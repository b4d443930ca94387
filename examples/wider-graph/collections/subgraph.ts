import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { readSdl } from '../readSdl.ts';
import { serve } from '../serve.ts';

interface VideoReference {
  readonly __typename: 'TrendingVideo';
  readonly id: string;
}

interface Collection {
  readonly __typename: 'Collection';
  readonly id: string;
  readonly name: string;
  readonly curator: { readonly handle: string; readonly url: string };
  /** Global ids: all that this subgraph knows about videos. */
  readonly videoIds: readonly string[];
}

// In place of a database. The videos are on the US chart of the demo data.
const collections: readonly Collection[] = [
  {
    __typename: 'Collection',
    id: 'Q29sbGVjdGlvbjox',
    name: 'Cooking',
    curator: { handle: 'chef_mochi', url: 'https://www.tiktok.com/@chef_mochi' },
    videoIds: [
      'VHJlbmRpbmdWaWRlbzo3OTMzMzEwMDgxOTcyODE1MjYw',
      'VHJlbmRpbmdWaWRlbzo3NTAwMjc3OTY0MDk2MDMyODU2',
    ],
  },
];

const toReference = (id: string): VideoReference => ({ __typename: 'TrendingVideo', id });

/** The object with this global id, which begins with the name of its type. */
function findNode(id: string): Collection | VideoReference | undefined {
  const isVideo = Buffer.from(id, 'base64url').toString().startsWith('TrendingVideo:');
  return isVideo ? toReference(id) : collections.find((collection) => collection.id === id);
}

const resolvers = {
  Query: {
    collections: (_root: unknown, { first }: { first: number }) => {
      const nodes = collections.slice(0, first);
      return {
        nodes,
        pageInfo: {
          hasNextPage: nodes.length < collections.length,
          hasPreviousPage: false,
          startCursor: nodes.at(0)?.id,
          endCursor: nodes.at(-1)?.id,
        },
      };
    },
    node: (_root: unknown, { id }: { id: string }) => findNode(id),
  },
  Collection: {
    videos: ({ videoIds }: Collection) => videoIds.map(toReference),
  },
};

const schema = buildSubgraphSchema({ typeDefs: await readSdl('collections/subgraph.graphql'), resolvers });
await serve(
  'Collections',
  new ApolloServer({ schema, plugins: [ApolloServerPluginInlineTraceDisabled()] }),
  4002,
);
