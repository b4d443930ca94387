import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { findBlocks } from '../support/examples.ts';
import { type Image, replayDockerfile } from './support/dockerfile.ts';
import { PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

const PAGES = ['README.md', 'docs/deployment.md', 'docs/trusted-documents.md'];

/** A `docker run` of the documentation. */
interface Run {
  readonly text: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Paths on the host by paths in the container. */
  readonly mounts: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  /** Empty for that of the image. */
  readonly command: readonly string[];
}

function readRuns(page: string): Run[] {
  const blocks = findBlocks(readFileSync(page, 'utf8')).filter(({ language }) => language === 'sh');
  const lines = blocks.flatMap(({ text }) => text.replace(/\\\n/g, ' ').split('\n'));
  return lines.filter((line) => line.startsWith('docker run ')).map(toRun);
}

function toRun(text: string): Run {
  const words = (text.match(/"[^"]*"|\S+/g) ?? []).slice(2).map((word) => word.replaceAll('"', ''));
  const options: [string, string][] = [];
  while (words[0]?.startsWith('-')) options.push([words.shift() ?? '', words.shift() ?? '']);
  const [image, ...command] = words;
  if (image !== 'trending-graphql') throw new Error(`expected the image, but got: ${text}`);
  const valuesOf = (name: string): string[] =>
    options.flatMap(([option, value]) => (option === name ? [value] : []));
  return {
    text,
    variables: Object.fromEntries(valuesOf('-e').map((pair) => pair.split('='))),
    mounts: Object.fromEntries(valuesOf('-v').map((mount) => mount.split(':').slice(0, 2).reverse())),
    ports: valuesOf('-p'),
    command,
  };
}

describe('the image (its Dockerfile replayed without Docker)', () => {
  let image: Image;
  let program: Program | undefined;

  function start(variables: Record<string, string>): Program {
    program = startProgram(image.cmd, { ...image.env, PORT: '0', ...variables }, image.workdir);
    return program;
  }

  beforeAll(async () => {
    image = await replayDockerfile(process.cwd());
    // It installs all packages.
  }, 600_000);

  afterEach(async () => {
    program?.child.kill('SIGKILL');
    await program?.exit;
  });
  afterAll(() => image?.remove());

  it('contains only the built program, and runs it as an unprivileged user', () => {
    const has = (file: string): boolean => existsSync(path.join(image.workdir, file));
    expect(['dist/main.js', 'node_modules', 'src', 'test'].map(has)).toEqual([true, false, false, false]);
    expect(image).toMatchObject({ user: 'node', env: { NODE_ENV: 'production', HOST: '0.0.0.0' } });
  });

  it('refuses to start without a token, in one clear sentence', async () => {
    const { exit, output } = start({});
    expect(await exit).toBe(1);
    expect(output()).toMatch(/^{"level":"fatal",.*"setting":"KEYAPI_TOKEN","msg":"KEYAPI_TOKEN: .*"}\n$/);
  });

  it.each(PAGES.flatMap(readRuns))('starts as documented: $text', async (run) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mounted-'));
    // A folder that the documentation has created, or a file of the repository.
    const toHost = (value: string): string => {
      for (const [inside, outside] of Object.entries(run.mounts)) {
        const file = outside.replace('$PWD', process.cwd());
        if (value.startsWith(inside)) return value.replace(inside, existsSync(file) ? file : folder);
      }
      return value;
    };
    const variables = Object.fromEntries(
      Object.entries(run.variables).map(([name, value]) => [name, toHost(value)]),
    );
    for (const port of run.ports) expect(port).toBe(`4000:${image.env.PORT}`);
    if (run.command.length === 0) {
      await start(variables).see(/GraphQL at http:/);
    } else {
      // The doctor, without calls to KeyAPI.
      const doctor = { ...image.env, ...variables, PORT: '0', KEYAPI_BASE_URL: 'http://127.0.0.1:9' };
      program = startProgram(run.command, doctor, image.workdir);
      await program.see(/^Settings +ok/m);
    }
    program?.child.kill('SIGTERM');
    await program?.exit;
    await rm(folder, { recursive: true });
  });

  it('has no GraphiQL, which is not installed, not even in development', async () => {
    const { see, output } = start({ NODE_ENV: 'development' });
    const [, url = ''] = await see(/GraphQL at (http:\S+)\/graphql.*Health/s);
    for (const path of ['/', '/graphiql']) expect((await fetch(url + path)).status).toBe(404);
    expect(output()).not.toContain('Explorer');
  });

  it('executes a query, and is healthy until it exits', async () => {
    const { see } = start({ ...PATIENT, KEYAPI_EMULATOR: 'true' });
    const [, port = ''] = await see(/GraphQL at http:\S+:(\d+)\/graphql/);
    expect(
      await postQuery(`http://127.0.0.1:${port}/graphql`, '{ trendingVideos { totalCount } }'),
    ).toMatchObject({
      data: { trendingVideos: { totalCount: 500 } },
    });
    const health = () => startProgram(image.healthcheck, { PORT: port }, image.workdir).exit;
    expect(await health()).toBe(0);
    program?.child.kill('SIGTERM');
    expect(await program?.exit).toBe(0);
    expect(await health()).toBe(1);
  });
});
