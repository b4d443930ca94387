import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const SKIPPED = new Set(['node_modules', 'dist', '.git']);

/** The text of all Markdown files, by their path in the repository. */
export async function readPages(): Promise<ReadonlyMap<string, string>> {
  const files = await findPages('.');
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
}

async function findPages(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries.map(async (entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED.has(entry.name) ? [] : findPages(file);
    return entry.name.endsWith('.md') ? [file] : [];
  });
  return (await Promise.all(found)).flat();
}
