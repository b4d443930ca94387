import { ApolloServer } from '@apollo/server';
import { buildHTTPExecutor } from '@graphql-tools/executor-http';
import { stitchSchemas } from '@graphql-tools/stitch';
import { FilterRootFields } from '@graphql-tools/wrap';
import { buildASTSchema } from 'graphql';
import { ADDRESSES, TRENDING_VIDEOS_KEY } from '../addresses.ts';
import { readSdl } from '../readSdl.ts';
import { serve } from '../serve.ts';

const trendingVideos = {
  // `node` and `nodes` of several schemas do not merge: the last one would win.
  transforms: [new FilterRootFields((_operation, name) => name !== 'node' && name !== 'nodes')],
  schema: buildASTSchema(await readSdl('../../schema/schema.graphql')),
  executor: buildHTTPExecutor({
    endpoint: ADDRESSES.trendingVideos,
    headers: TRENDING_VIDEOS_KEY ? { 'x-api-key': TRENDING_VIDEOS_KEY } : {},
  }),
  batch: true,
  merge: {
    TrendingVideo: {
      selectionSet: '{ itemId }',
      fieldName: 'trendingVideosByItemId',
      key: ({ itemId }: { itemId: string }) => itemId,
      argsFromKeys: (itemIds: readonly string[]) => ({ itemIds }),
      dataLoaderOptions: { maxBatchSize: 100 },
    },
  },
};

const reviews = {
  schema: buildASTSchema(await readSdl('reviews/plain.graphql')),
  executor: buildHTTPExecutor({ endpoint: ADDRESSES.reviews }),
  merge: {
    TrendingVideo: {
      selectionSet: '{ itemId }',
      fieldName: 'videosByItemId',
      key: ({ itemId }: { itemId: string }) => itemId,
      argsFromKeys: (itemIds: readonly string[]) => ({ itemIds }),
    },
  },
};

const schema = stitchSchemas({ subschemas: [trendingVideos, reviews] });
await serve('Stitched schema', new ApolloServer({ schema }), 4300);
