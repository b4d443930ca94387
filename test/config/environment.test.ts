import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
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
    expect(readEnvironment({ PORT: '1' }, folder)).toEqual({ variables: { PORT: '1' }, file: undefined });
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
  ])('is refused when it %s', async (_, text, message) => {
    await expect(readWith(text)).rejects.toMatchObject({
      problems: [{ setting: '.env', text: expect.stringContaining(message) }],
      message: expect.not.stringContaining('never-shown'),
    });
  });

  it('is refused when it is a folder', async () => {
    await mkdir(path.join(folder, '.env'));
    expect(() => readEnvironment({}, folder)).toThrow(
      '.env: expected a file that can be read, but got: EISDIR',
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
