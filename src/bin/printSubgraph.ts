import { subgraphSdl } from '../graphql/subgraphSdl.ts';

process.stdout.write(subgraphSdl);
