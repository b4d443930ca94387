import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ADDRESSES, SUPERGRAPH } from '../addresses.ts';
import { readSdl } from '../readSdl.ts';
import { composeSupergraph } from './composeSupergraph.ts';

const { sdl, hints } = composeSupergraph([
  {
    name: 'trending-videos',
    url: ADDRESSES.trendingVideos,
    typeDefs: await readSdl('../../schema/subgraph.graphql'),
  },
  {
    name: 'reviews',
    url: ADDRESSES.reviews,
    typeDefs: await readSdl('reviews/subgraph.graphql'),
  },
  {
    name: 'collections',
    url: ADDRESSES.collections,
    typeDefs: await readSdl('collections/subgraph.graphql'),
  },
]);

for (const hint of hints) process.stderr.write(`${hint}\n`);
await mkdir(path.dirname(SUPERGRAPH), { recursive: true });
await writeFile(SUPERGRAPH, sdl);
process.stdout.write(`Supergraph in ${path.relative('', SUPERGRAPH)}\n`);
