import { printSchema } from 'graphql';
import { createSchema } from '../graphql/schema/createSchema.ts';

process.stdout.write(`${printSchema(createSchema())}\n`);
