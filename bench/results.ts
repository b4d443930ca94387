import { readFile, writeFile } from 'node:fs/promises';
import { cpus, release, totalmem, type } from 'node:os';
import path from 'node:path';
import { areCoresBound } from './cores.ts';
import { LOAD_TOOL } from './load.ts';
import { BENCH } from './paths.ts';
import { alignTable, type Outcome, toGoalTable, toTable } from './report.ts';

/** Writes `bench/RESULTS.md`: the figures of one run, the machine and the versions. */
export async function writeResults(outcomes: readonly Outcome[]): Promise<void> {
  const sections = outcomes.map((outcome) => `## ${outcome.name}\n\n${outcome.what}\n\n${toTable(outcome)}`);
  const parts = [
    '# Results',
    'Written by `npm run bench`: do not edit. All figures are from one run. [README.md](README.md) explains how they are measured and how to read them.',
    describeMachine(),
    `## Goals\n\n${toGoalTable(outcomes)}`,
    ...sections,
    `## Versions\n\n${await listVersions()}`,
  ];
  await writeFile(path.join(BENCH, 'RESULTS.md'), `${parts.join('\n\n')}\n`);
}

function describeMachine(): string {
  const [cpu] = cpus();
  const cores = areCoresBound ? 'bound to cores' : 'not bound to cores';
  return alignTable(
    ['', ''],
    [
      ['date', new Date().toISOString().slice(0, 10)],
      ['processor', `${cpu?.model ?? 'unknown'}, ${cpus().length} cores; processes ${cores}`],
      ['memory', `${Math.round(totalmem() / 2 ** 30)} GB`],
      ['system', `${type()} ${release()}`],
      ['Node', process.version],
      ['load', LOAD_TOOL],
    ],
  );
}

/** The installed version of every package that `bench/package.json` names. */
async function listVersions(): Promise<string> {
  const { dependencies } = await readPackage('package.json');
  const names = Object.keys(dependencies ?? {}).filter((name) => !name.startsWith('@types/'));
  const packages = names.map(async (name) => {
    const { version = '' } = await readPackage(path.join('node_modules', name, 'package.json'));
    return [`\`${name}\``, version];
  });
  return alignTable(['package', 'version'], await Promise.all(packages));
}

interface Package {
  readonly version?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

async function readPackage(file: string): Promise<Package> {
  return JSON.parse(await readFile(path.join(BENCH, file), 'utf8')) as Package;
}
