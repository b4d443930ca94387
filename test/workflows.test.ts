import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { problemsOf } from './support/workflows.ts';

const FOLDER = '.github/workflows';
const execute = promisify(execFile);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly uses?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: { readonly node: readonly number[] } };
  readonly container?: { readonly image: string };
  readonly steps?: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

let ci: string;
let release: string;

beforeAll(async () => {
  [ci = '', release = ''] = await Promise.all(
    ['ci.yml', 'release.yml'].map((file) => readFile(path.join(FOLDER, file), 'utf8')),
  );
});

const jobsOf = (text: string): [string, Job][] => Object.entries((parse(text) as Workflow).jobs);
const stepsOf = (text: string): Step[] => jobsOf(text).flatMap(([, { steps = [] }]) => steps);
const allSteps = (): Step[] => [...stepsOf(ci), ...stepsOf(release)];

function jobOf(text: string, name: string): Job {
  const job = (parse(text) as Workflow).jobs[name];
  if (!job) throw new Error(`expected a job ${name}`);
  return job;
}

/** The text with one replacement, which has to be possible. */
function changed(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`expected a workflow with: ${from}`);
  return text.replace(from, () => to);
}

describe('the workflows', () => {
  it('are valid', async () => {
    expect((await readdir(FOLDER)).sort()).toEqual(['ci.yml', 'release.yml']);
    expect(await problemsOf(ci)).toEqual([]);
    expect(await problemsOf(release)).toEqual([]);
  });

  it.each([
    ['runs-on:', 'run-on:', "Unexpected value 'run-on'"],
    ['timeout-minutes: 30', 'timeout-minutes: long', "Unexpected value 'long'"],
    ['contents: read', 'content: read', "Unexpected value 'content'"],
    ['branches: [main]', 'branch: [main]', "Unexpected value 'branch'"],
    ['- run: bash', '- rum: bash', "Unexpected value 'rum'"],
    ['matrix.node }}', 'matrix.node }', 'The expression is not closed'],
    ['matrix.node }}', 'matrix.nodes }}', 'Context access might be invalid: nodes'],
    ['matrix.node }}', 'matrx.node }}', "Unrecognized named-value: 'matrx'"],
    ['github.event_name', 'github.event_nam', 'Context access might be invalid: event_nam'],
    ['actions/checkout@v4', 'actions/checkout', 'Expected format {owner}/{repo}[/path]@{ref}'],
    ['    name: Image\n', '    needs: tests\n', "depends on unknown job 'tests'"],
  ])('would not be with %j replaced by %j', async (from, to, problem) => {
    expect((await problemsOf(changed(ci, from, to))).join('\n')).toContain(problem);
  });

  it.each([
    ['needs: ci', 'needs: c', "depends on unknown job 'c'"],
    ['steps.image.outputs', 'steps.picture.outputs', 'Context access might be invalid: picture'],
    ['workflows/ci.yml', 'workflows/tests.yml', 'Unable to find reusable workflow'],
    ['packages: write', 'packages: push', "Unexpected value 'push'"],
  ])('would not be released with %j replaced by %j', async (from, to, problem) => {
    expect((await problemsOf(changed(release, from, to))).join('\n')).toContain(problem);
  });

  it('have commands that a shell can read, and that name files of the repository', async () => {
    const commands = allSteps().flatMap(({ run }) => run ?? []);
    for (const command of commands) await execute('bash', ['-n', '-c', command]);
    const files = commands.flatMap((command) =>
      [...command.matchAll(/^(?:bash|node) (\S+)/gm)].map(([, file = '']) => file),
    );
    expect(files).toEqual(['.ci/run', '.github/releaseNotes.js', '.github/releaseNotes.js']);
    for (const file of files) expect([file, existsSync(file)]).toEqual([file, true]);
  });

  it('give each action only inputs that it has', () => {
    const known: Readonly<Record<string, readonly string[]>> = {
      'actions/checkout@v4': ['persist-credentials'],
      'docker/setup-buildx-action@v3': [],
      'docker/login-action@v3': ['registry', 'username', 'password'],
      'docker/metadata-action@v5': ['images', 'tags'],
      'docker/build-push-action@v6': [
        ...['context', 'platforms', 'load', 'push', 'tags', 'labels', 'annotations'],
        ...['provenance', 'sbom', 'cache-from', 'cache-to'],
      ],
    };
    for (const { uses, with: inputs = {} } of allSteps().filter((step) => step.uses !== undefined)) {
      const unknown = Object.keys(inputs).filter((name) => !known[uses ?? '']?.includes(name));
      expect([uses, unknown]).toEqual([uses, []]);
    }
  });

  it('may only read, except for the jobs that publish, and end in time', () => {
    const more: Readonly<Record<string, object>> = {
      image: { contents: 'read', packages: 'write' },
      release: { contents: 'write' },
    };
    for (const text of [ci, release]) {
      expect((parse(text) as Workflow).permissions).toEqual({ contents: 'read' });
      for (const [name, { permissions, uses, 'timeout-minutes': minutes }] of jobsOf(text)) {
        expect([name, permissions]).toEqual([name, text === release ? more[name] : undefined]);
        // A called workflow has its own limits.
        if (uses === undefined) expect([name, typeof minutes]).toEqual([name, 'number']);
      }
    }
  });

  it('put nothing into commands that comes from outside: expressions are only in values', () => {
    for (const { run } of allSteps()) expect(run ?? '').not.toContain('${{');
  });

  it('test on the oldest Node that is supported and on that of the image', async () => {
    const { engines } = JSON.parse(await readFile('package.json', 'utf8'));
    const dockerfile = await readFile('Dockerfile', 'utf8');
    const oldest = /^>=(\d+)\./.exec(engines.node)?.[1];
    const images = [...dockerfile.matchAll(/^FROM .*\bnode:(\d+)-slim/gm)].map(([, version]) => version);
    expect(new Set(images).size).toBe(1);
    const { strategy, container, steps } = jobOf(ci, 'test');
    expect(strategy?.matrix.node).toEqual([Number(oldest), Number(images[0])]);
    expect(container?.image).toMatch(/^node:\$\{\{ matrix\.node \}\}-bookworm$/);
    expect(steps?.flatMap(({ run }) => run ?? [])).toEqual(['bash .ci/run']);
  });

  it('build the image for amd64 and arm64, and push it only in a release', () => {
    const builds = (text: string) =>
      stepsOf(text).flatMap(({ uses, with: inputs }) =>
        uses?.startsWith('docker/build-push-action@') ? [inputs] : [],
      );
    const platforms = 'linux/amd64,linux/arm64';
    expect(builds(ci).map((inputs) => [inputs?.context, inputs?.platforms, inputs?.push])).toEqual([
      ['.', platforms, undefined],
      ['.', undefined, undefined],
    ]);
    expect(builds(release)).toEqual([expect.objectContaining({ context: '.', platforms, push: true })]);
  });

  it('release a version only after its tag, its notes and all tests have been checked', () => {
    const { on } = parse(release) as Workflow;
    expect(on).toEqual({ push: { tags: ['v[0-9]+.[0-9]+.[0-9]+'] } });
    expect(jobsOf(release).map(([name, { needs }]) => [name, needs])).toEqual([
      ['notes', undefined],
      ['ci', 'notes'],
      ['image', 'ci'],
      ['release', 'image'],
    ]);
    expect(jobOf(release, 'ci').uses).toBe('./.github/workflows/ci.yml');
  });
});

describe('the notes of a release', () => {
  const REPOSITORY = 'https://git.example/owner/trending-graphql';
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'release-'));
    await cp('package.json', path.join(folder, 'package.json'));
    await cp('.github/releaseNotes.js', path.join(folder, '.github/releaseNotes.js'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (cwd: string, ...args: string[]) =>
    execute(process.execPath, ['.github/releaseNotes.js', ...args], { cwd });

  const readVersion = async (): Promise<string> => JSON.parse(await readFile('package.json', 'utf8')).version;

  it('are the first section of CHANGELOG.md, with links to the files of the tag', async () => {
    const version = await readVersion();
    const { stdout } = await run('.', `v${version}`, REPOSITORY);
    const changelog = await readFile('CHANGELOG.md', 'utf8');
    const [, heading = '', section = ''] = /^(## [^\n]*)\n(.*?)\n(?=## )/ms.exec(changelog) ?? [];
    expect(heading).toContain(`## ${version} - `);
    const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');
    expect(words(stdout.replaceAll(`${REPOSITORY}/blob/v${version}/`, ''))).toEqual(words(section));
  });

  it('have one line for each entry, and no relative link', async () => {
    await writeFile(
      path.join(folder, 'CHANGELOG.md'),
      `# Changelog\n\n## ${await readVersion()} - 2026-01-02\n\n### Redis\n\n- One [way](docs/a.md#b) to\n` +
        '  **do** it.\n- [Two](https://a.example/).\n  - Three\n    *lines*.\n\nA paragraph\nof two.\n\n1. First\n2. Second\n\n' +
        '```sh\none\ntwo\n```\n\n## 0.0.1 - 2026-01-01\n\nOld.\n',
    );
    const tag = `v${await readVersion()}`;
    expect((await run(folder, tag, REPOSITORY)).stdout).toBe(
      `### Redis\n\n- One [way](${REPOSITORY}/blob/${tag}/docs/a.md#b) to **do** it.\n- [Two](https://a.example/).\n` +
        '  - Three *lines*.\n\nA paragraph of two.\n\n1. First\n2. Second\n\n```sh\none\ntwo\n```\n',
    );
  });

  it.each([
    ['another tag', 'v99.0.0', '', 'expected the tag v'],
    ['no tag', '', '', 'but got: \n'],
    ['no section', 'v', '## 0.0.1 - 2026-01-01\n\nOld.\n', 'expected a section "## '],
    ['a section without a date', 'v', '## VERSION\n\nNew.\n', 'expected a section "## '],
    [
      'an empty section',
      'v',
      '## VERSION - 2026-01-01\n\n## 0.0.1 - 2026-01-01\n\nOld.\n',
      'expected a text',
    ],
  ])('are refused with %s', async (_, tag, sections, problem) => {
    const version = await readVersion();
    await writeFile(
      path.join(folder, 'CHANGELOG.md'),
      `# Changelog\n\n${sections.replace('VERSION', version)}`,
    );
    await expect(run(folder, tag === 'v' ? `v${version}` : tag)).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining(problem),
    });
  });
});
