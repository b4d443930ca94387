import { createHash } from 'node:crypto';
import { concatAST, print, separateOperations } from 'graphql';

/**
 * A GraphQL Code Generator plugin: the manifest of trusted documents, each operation with the fragments it uses by the
 * SHA-256 of its text as graphql-js prints it.
 */
export function plugin(_schema, documents) {
  const operations = separateOperations(concatAST(documents.map(({ document }) => document)));
  const entries = Object.values(operations).map((operation) => {
    const text = print(operation);
    return [`sha256:${createHash('sha256').update(text).digest('hex')}`, text];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
