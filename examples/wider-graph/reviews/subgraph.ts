import { ApolloServer } from '@apollo/server';
import { ApolloServerPluginInlineTraceDisabled } from '@apollo/server/plugin/disabled';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { readSdl } from '../readSdl.ts';
import { serve } from '../serve.ts';
import { latestReviews, type Review, reviewsOf } from './reviews.ts';

interface VideoReference {
  readonly itemId: string;
}

const resolvers = {
  Query: {
    latestReviews: (_root: unknown, { first }: { first: number }) => latestReviews(first),
  },
  Review: {
    // A reference: its key is enough, the gateway asks the trending videos for the rest.
    video: ({ itemId }: Review): VideoReference => ({ itemId }),
  },
  TrendingVideo: {
    reviews: ({ itemId }: VideoReference) => reviewsOf(itemId),
  },
};

const schema = buildSubgraphSchema({ typeDefs: await readSdl('reviews/subgraph.graphql'), resolvers });
await serve(
  'Reviews',
  new ApolloServer({ schema, plugins: [ApolloServerPluginInlineTraceDisabled()] }),
  4001,
);
