import { existsSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

/** A source that is changed. */
const SOURCE = 'src/domain/quote.ts';

let emulator: TestEmulator;
let folder: string;
let program: Program | undefined;

beforeEach(async () => {
  emulator = await startEmulator();
  folder = await mkdtemp(path.join(tmpdir(), 'dev-'));
  for (const used of ['src', 'schema', 'package.json', 'build.js', 'tsconfig.json'])
    await cp(used, path.join(folder, used), { recursive: true });
  await symlink(path.resolve('node_modules'), path.join(folder, 'node_modules'));
  await writeFile(path.join(folder, '.env'), 'PORT=0\n');
});

afterEach(async () => {
  program?.child.kill('SIGINT');
  await program?.exit;
  await emulator.close();
  await rm(folder, { recursive: true });
});

/** Runs `npm run dev`, without npm. */
async function startDev(variables: Record<string, string>): Promise<Program> {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  const PATH = `${path.resolve('node_modules/.bin')}:${process.env.PATH}`;
  program = startProgram(['sh', '-c', scripts.dev], { ...variables, PATH }, folder);
  return program;
}

/** Waits for the server's start number `count`; returns the URL of its endpoint. */
async function seeStart({ see }: Program, count: number): Promise<string> {
  const [, url = ''] = await see(new RegExp(`(?:GraphQL at (http:\\S+)"[^]*?){${count}}`));
  return url;
}

it('restarts after a change, shows errors in a few lines, and keeps the pages that were paid for', async () => {
  const file = path.join(folder, SOURCE);
  const source = await readFile(file, 'utf8');
  const dev = await startDev({ ...PATIENT, ...emulator.variables });
  const query = '{ trendingVideos { totalCount } }';
  const bought = await postQuery(await seeStart(dev, 1), query);
  expect(bought).toMatchObject({ extensions: { upstream: { source: 'keyapi', requests: 1 } } });

  await appendFile(file, 'export const broken = ;\n');
  await dev.see(/ERROR\] Unexpected ";"/);
  await writeFile(file, `${source}export const wrong: number = 'text';\n`);
  const url = await seeStart(dev, 2);
  await dev.see(/quote\.ts\(\d+,\d+\): error TS2322/);
  expect(dev.output()).not.toMatch(/^ {4}at /m);
  expect(await postQuery(url, query)).toMatchObject({ extensions: { upstream: { requests: 0 } } });
  expect(emulator.counts.requests).toBe(1);
  expect(existsSync(path.join(folder, '.dev-cache.json'))).toBe(true);
});

it('restarts after a change of the file .env', async () => {
  const dev = await startDev({});
  await seeStart(dev, 1);
  await appendFile(path.join(folder, '.env'), 'LOG_LEVEL=debug\n');
  await seeStart(dev, 2);
  expect(existsSync(path.join(folder, '.dev-cache.json'))).toBe(false);
});
