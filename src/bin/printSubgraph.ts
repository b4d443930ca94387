import { subgraphSdl } from '../graphql/schema/subgraphSdl.ts';

process.stdout.write(subgraphSdl);
