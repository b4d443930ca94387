import { execFileSync } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const EXAMPLES = 'test/system/examples';

/** Jest's `globalSetup`: builds the programs when a source is newer, and installs the examples when a test needs them. */
export default async function prepare({ testPathPatterns: { patterns } }) {
  if (!(await isBuilt())) run('build');
  const tests = (await readdir(EXAMPLES, { recursive: true })).map((file) => path.resolve(EXAMPLES, file));
  const isWanted = (test) => patterns.some((pattern) => new RegExp(pattern, 'i').test(test));
  if (patterns.length === 0 || tests.some(isWanted)) run('examples');
}

function run(script) {
  execFileSync('npm', ['run', '--silent', script], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function isBuilt() {
  const folders = ['src', 'schema/operations'];
  const sources = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder, { recursive: true })).map((file) => path.join(folder, file)),
    ),
  );
  const times = await Promise.all([...sources.flat(), 'build.js', 'package-lock.json'].map(changedAt));
  return (await changedAt('dist/main.js')) > Math.max(...times);
}

/** When the file was last changed; 0 when it does not exist. */
async function changedAt(file) {
  return (await stat(file).catch(() => undefined))?.mtimeMs ?? 0;
}
