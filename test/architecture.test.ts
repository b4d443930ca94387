import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

/** Who may import whom, by folder of src; the files at the top know everyone. */
const ARROWS: Record<string, string[]> = {
  domain: [],
  keyapi: ['domain'],
  data: ['domain'],
  graphql: ['domain', 'data'],
  server: ['graphql'],
  doctor: ['domain', 'data', 'keyapi', 'server', 'config.ts', 'createPageSource.ts'],
  observe: ['domain', 'data', 'keyapi', 'server'],
  bin: ['graphql', 'keyapi', 'doctor'],
};
const GRAPHQL_PACKAGES = /^(graphql|type-graphql|@apollo|@as-integrations)/;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

async function readImports(): Promise<Import[]> {
  const files = (await readdir('src', { recursive: true })).filter((file) => file.endsWith('.ts'));
  const imports = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(path.join('src', file), 'utf8');
      const targets = [...text.matchAll(/\bfrom '([^']+)'|\bimport[ (]'([^']+)'/g)].map(
        (match) => match[1] ?? match[2] ?? '',
      );
      return targets.map((target) => ({
        file,
        room: file.includes('/') ? (file.split('/')[0] ?? '') : '',
        target,
      }));
    }),
  );
  return imports.flat();
}

function roomOf({ file, target }: Import): string | undefined {
  return path.join(path.dirname(file), target).split('/')[0];
}

describe('the rooms of src', () => {
  it('are all named here', async () => {
    const folders = (await readdir('src', { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect(folders.map(({ name }) => name).sort()).toEqual(Object.keys(ARROWS).sort());
  });

  it('import only the rooms that they may', async () => {
    const wrong = (await readImports()).filter((found) => {
      const room = roomOf(found);
      if (!found.target.startsWith('.') || found.room === '' || room === found.room) return false;
      return !ARROWS[found.room]?.includes(room ?? '');
    });
    expect(wrong).toEqual([]);
  });

  it('know nothing of GraphQL below graphql/', async () => {
    const wrong = (await readImports()).filter(
      ({ room, target }) => ['domain', 'data', 'keyapi'].includes(room) && GRAPHQL_PACKAGES.test(target),
    );
    expect(wrong).toEqual([]);
  });

  it('keep the domain free of packages and of I/O', async () => {
    const imports = (await readImports()).filter(
      ({ room, target }) => room === 'domain' && !target.startsWith('.'),
    );
    expect(imports).toEqual([]);
  });
});
