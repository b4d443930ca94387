import { ApolloServer } from '@apollo/server';
import { readSdl } from '../readSdl.ts';
import { serve } from '../serve.ts';
import { latestReviews, type Review, reviewsOf } from './reviews.ts';

interface VideoReference {
  readonly itemId: string;
}

const resolvers = {
  Query: {
    latestReviews: (_root: unknown, { first }: { first: number }) => latestReviews(first),
    videosByItemId: (_root: unknown, { itemIds }: { itemIds: string[] }): VideoReference[] =>
      itemIds.map((itemId) => ({ itemId })),
  },
  Review: {
    video: ({ itemId }: Review): VideoReference => ({ itemId }),
  },
  TrendingVideo: {
    reviews: ({ itemId }: VideoReference) => reviewsOf(itemId),
  },
};

const typeDefs = await readSdl('reviews/plain.graphql');
await serve('Reviews', new ApolloServer({ typeDefs, resolvers }), 4001);
