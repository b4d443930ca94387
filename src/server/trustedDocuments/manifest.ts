import { readFile } from 'node:fs/promises';
import { z } from 'zod';

/** As GraphQL Code Generator and the Relay compiler write it. */
const textsByHash = z.record(z.string(), z.string());

/** As `@apollo/generate-persisted-query-manifest` writes it. */
const apolloManifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});

/**
 * Reads a manifest of trusted documents: the texts by their hash.
 *
 * @throws {Error} When it cannot be read, is no JSON or none of the forms above.
 */
export async function readManifest(file: string): Promise<ReadonlyMap<string, string>> {
  const json: unknown = JSON.parse(await readFile(file, 'utf8'));
  const apollos = apolloManifest.safeParse(json).data?.operations;
  const others = textsByHash.safeParse(json).data;
  if (!apollos && !others) throw new TypeError('it holds something else');
  const entries = apollos?.map(({ id, body }) => [id, body] as const) ?? Object.entries(others ?? {});
  return new Map(entries.map(([id, text]) => [toHash(id), text]));
}

/** Some write with it which hash it is. */
export function toHash(id: string): string {
  return id.replace(/^sha256:/, '');
}
