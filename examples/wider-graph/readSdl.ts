import { readFile } from 'node:fs/promises';
import { type DocumentNode, parse } from 'graphql';

/** Reads a file of type definitions; `path` is relative to this folder. */
export async function readSdl(path: string): Promise<DocumentNode> {
  return parse(await readFile(new URL(path, import.meta.url), 'utf8'));
}
