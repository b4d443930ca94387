import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../src/config/environment.ts';
import { listFileSettings } from '../../src/config/fileSettings.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { toEnvExample } from '../../src/config/renderSettings.ts';
import { SETTINGS } from '../../src/config/settings.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'environment-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Reads the environment with this file. */
async function readWith(file: string | Buffer, variables: Record<string, string> = {}) {
  await writeFile(path.join(folder, '.env'), file);
  return readEnvironment(variables, folder);
}

describe('the file .env', () => {
  it('may be missing', () => {
    expect(readEnvironment({ PORT: '1' }, folder)).toEqual({
      variables: { PORT: '1' },
      file: undefined,
      problems: [],
    });
  });

  it('adds its variables to those of the environment', async () => {
    const text =
      '# a comment\nPORT=5000\nexport KEYAPI_TOKEN="a#b"\n\nAPI_KEYS=\'web:12345678\' # another one\n';
    const { variables } = await readWith(text, { HOST: '::1' });
    expect(variables).toEqual({
      PORT: '5000',
      KEYAPI_TOKEN: 'a#b',
      API_KEYS: 'web:12345678',
      HOST: '::1',
    });
  });

  it('is hidden by a variable of the environment, even by an empty one', async () => {
    const { variables, file } = await readWith('PORT=5000\nHOST=::1\nSANDBOX=\n', { PORT: '', HOST: '::' });
    expect(variables).toEqual({ PORT: '', HOST: '::', SANDBOX: '' });
    expect(file && listFileSettings(file)).toEqual({ used: [], hidden: ['HOST', 'PORT'] });
  });

  it.each([
    ['a byte order mark', '\uFEFFPORT=5000'],
    ['line ends of Windows', '\r\nPORT=5000\r\n'],
  ])('may have %s', async (_, text) => {
    expect((await readWith(text)).variables).toEqual({ PORT: '5000' });
  });

  it.each([
    [
      'has a line without =',
      'PORT=5000\nKEYAPI_TOKEN never-shown\nHOST=::1\n',
      'such as NAME=value, but got another one: line 2',
    ],
    [
      'ends with a line without =',
      'PORT=5000\nKEYAPI_TOKEN never-shown',
      'such as NAME=value, but got another one: line 2',
    ],
    ['has a line of YAML', 'PORT: 5000\n', 'such as NAME=value, but got another one: line 1'],
    ['is in UTF-16', Buffer.from('\uFEFFPORT=5000\n', 'utf16le'), 'text in UTF-8, but got another encoding'],
    [
      'has a quote that is closed by that of another line',
      'PORT=5000\nKEYAPI_TOKEN="never-shown\nAPI_KEYS="never-shown"\nHOST=::1\n',
      'on one line, but the value of KEYAPI_TOKEN spans several lines: is a quote missing?',
    ],
    [
      'has a value of several lines',
      "PORT=5000\nOTHER='never-shown\nnever-shown'\n",
      'on one line, but the value of OTHER spans several lines: is a quote missing?',
    ],
    [
      'has a tab after export',
      'export\tKEYAPI_TOKEN=never-shown\n',
      'such as NAME=value, but got another one',
    ],
    ['has another kind of space', '\u00A0PORT=5000\n', 'such as NAME=value, but got another one'],
    ['is too large', `OTHER=${'never-shown'.repeat(100_000)}`, 'of up to 1 MB, but got one of 2 MB'],
  ])('is refused when it %s', async (_, text, message) => {
    const environment = await readWith(text, { HOST: '::1' });
    expect(environment).toEqual({
      variables: { HOST: '::1' },
      file: undefined,
      problems: [{ setting: '.env', text: expect.stringContaining(message) }],
    });
    expect(JSON.stringify(environment)).not.toContain('never-shown');
  });

  it.each([
    ['a folder', '/', 'expected a regular file of up to 1 MB, but got a folder'],
    ['a device', '/dev/zero', 'expected a regular file of up to 1 MB, but got a device or a socket'],
    ['nothing', 'missing', 'expected a file that can be read, but got: ENOENT'],
    ['itself', '.env', 'expected a file that can be read, but got: ELOOP'],
  ])('is refused when it is a link to %s', async (_, target, message) => {
    await symlink(target, path.join(folder, '.env'));
    expect(readEnvironment({}, folder).problems).toEqual([
      { setting: '.env', text: expect.stringContaining(message) },
    ]);
  });

  it('is refused when it is a socket', async () => {
    const server = createServer().listen(path.join(folder, '.env'));
    await once(server, 'listening');
    expect(readEnvironment({}, folder).problems).toMatchObject([
      { text: 'expected a regular file of up to 1 MB, but got a device or a socket' },
    ]);
    server.close();
  });

  it('may be a pipe, from which a secret manager writes it', async () => {
    const file = path.join(folder, '.env');
    execFileSync('mkfifo', [file]);
    const writer = spawn('sh', ['-c', 'echo PORT=5000 > "$0"', file]);
    expect(readEnvironment({}, folder).variables).toEqual({ PORT: '5000' });
    await once(writer, 'close');
  });

  it('is not hidden by what the environment inherits', async () => {
    await writeFile(path.join(folder, '.env'), 'constructor=1\n');
    expect(readEnvironment(process.env, folder).file?.hidden).toEqual([]);
  });

  it('does not hide the problems of the environment when it is refused', async () => {
    await mkdir(path.join(folder, '.env'));
    const { variables, problems } = readEnvironment(
      { PORT: 'x', NODE_ENV: 'prod', METRICS_PORT: '70000', PERSISTED_DOCUMENTS_ONLY: 'true' },
      folder,
    );
    expect(() => loadConfig(variables, problems)).toThrow(
      expect.objectContaining({
        // No token and no manifest: they may be in the file.
        problems: ['.env', 'NODE_ENV', 'PORT', 'METRICS_PORT'].map((setting) =>
          expect.objectContaining({ setting }),
        ),
      }),
    );
  });

  it('changes nothing when it is a copy of .env.example', async () => {
    const { variables } = await readWith(toEnvExample());
    expect(loadConfig(variables)).toEqual(loadConfig({}));
  });

  it('has all settings but NODE_ENV when every # is removed from a copy of .env.example', async () => {
    const { file } = await readWith(toEnvExample().replace(/^#(?=[A-Z])/gm, ''));
    expect(['NODE_ENV', ...Object.keys(file?.variables ?? {})].sort()).toEqual(Object.keys(SETTINGS).sort());
  });
});
