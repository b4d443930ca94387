import { createSubgraphSdl } from '../graphql/schema/createSchema.ts';

process.stdout.write(createSubgraphSdl());
