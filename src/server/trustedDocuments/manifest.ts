import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseJson } from '../../domain/json.ts';

/** The format of GraphQL Code Generator and the Relay compiler. */
const textsByHash = z.record(z.string(), z.string());

/** The format of `@apollo/generate-persisted-query-manifest`. */
const apolloManifest = z.object({
  format: z.literal('apollo-persisted-query-manifest'),
  version: z.literal(1),
  operations: z.array(z.object({ id: z.string(), body: z.string() })),
});

/**
 * Reads a manifest of trusted documents: their texts by hash.
 *
 * @throws {Error} When the file cannot be read, or is in neither format.
 */
export async function readManifest(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, 'utf8');
  // Some editors and shells write a byte order mark, which is not JSON.
  const json = parseJson(text.replace(/^\ufeff/, ''));
  // The parser's own error would show a part of the text, which may be any file: one with a secret, for example.
  if (json === undefined) throw new TypeError('it is not JSON');
  const apollos = apolloManifest.safeParse(json).data?.operations;
  const others = textsByHash.safeParse(json).data;
  if (!apollos && !others) throw new TypeError('its format is unknown');
  const entries = apollos?.map(({ id, body }) => [id, body] as const) ?? Object.entries(others ?? {});
  return new Map(entries.map(([id, text]) => [toHash(id), text]));
}

/** The hash without the prefix that some clients add. */
export function toHash(id: string): string {
  return id.replace(/^sha256:/, '');
}
