import { createHash } from 'node:crypto';
import { concatAST, print, separateOperations } from 'graphql';

/**
 * A GraphQL Code Generator plugin that writes the manifest of trusted documents. Each document is an operation with the
 * fragments it uses, as graphql-js prints it; its key is the SHA-256 of that text.
 */
export function plugin(_schema, documents) {
  const operations = separateOperations(concatAST(documents.map(({ document }) => document)));
  const entries = Object.values(operations).map((operation) => {
    const text = print(operation);
    return [`sha256:${createHash('sha256').update(text).digest('hex')}`, text];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}
