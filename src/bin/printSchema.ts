import { printSchema } from 'graphql';
import { createSchema } from '../graphql/schema.ts';

process.stdout.write(`${printSchema(createSchema())}\n`);
