import { existsSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Image, replayDockerfile } from './support/dockerfile.ts';
import { PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

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
