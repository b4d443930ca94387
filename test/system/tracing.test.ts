import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { findBlocks } from '../support/examples.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

let program: Program | undefined;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'tracing-'));
});

afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.exit;
  await rm(folder, { recursive: true });
});

describe('the tracing SDK, set up as docs/operations.md shows', () => {
  it('receives the spans of the bundled program, whose log contains their trace id', async () => {
    const blocks = findBlocks(await readFile('docs/operations.md', 'utf8'));
    const [module, command] = blocks.filter(({ heading }) => heading === 'Tracing');
    expect(command?.text).toBe('node --import ./otel.mjs dist/main.js\n');
    // The folder has the packages that the module imports, and nothing else of the repository.
    await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
    await writeFile(path.join(folder, 'otel.mjs'), module?.text ?? '');
    program = startProgram(
      [process.execPath, '--import', './otel.mjs', MAIN],
      { ...PATIENT, PORT: '0' },
      folder,
    );
    const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
    await postQuery(url, 'query Bundled { trendingVideos { totalCount } }');
    await program.see(/name: 'operation Bundled'/);
    program.child.kill('SIGTERM');
    await program.exit;
    const output = program.output();
    for (const name of ['upstream call', 'page', 'operation Bundled'])
      expect(output).toContain(`name: '${name}'`);
    const ids = new Set([...output.matchAll(/traceId: '(\w+)'/g)].map(([, id]) => id));
    expect(ids.size).toBe(1);
    expect(output).toMatch(new RegExp(`"traceId":"${[...ids][0]}".*"operation":"Bundled"`));
  });
});
