import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../src/config/configError.ts';
import { collectSecrets } from '../src/config/secrets.ts';
import { logStartFailure } from '../src/startFailure.ts';
import { createMemoryStream } from './support/log.ts';

const VARIABLES = {
  LOG_LEVEL: 'silent',
  KEYAPI_TOKEN: 'never-shown-1',
  API_KEYS: 'web:never-shown-2,never-shown-3',
  REDIS_URL: 'redis://user:never%2Dshown-4@redis',
};

/** The lines that are logged, without their time. */
function linesOf(error: unknown): Record<string, unknown>[] {
  const memory = createMemoryStream();
  logStartFailure(error, collectSecrets(VARIABLES), memory.stream);
  expect(memory.text()).not.toMatch(/never(-|%2D)shown/);
  return memory
    .text()
    .trim()
    .split('\n')
    .map((line) => {
      const { time, ...fields } = JSON.parse(line);
      expect(time).toMatch(/^\d{4}-/);
      return fields;
    });
}

describe('logStartFailure', () => {
  it('logs a line for each problem, with the name of its setting and without a stack', () => {
    const error = new ConfigError([
      { setting: 'PORT', text: 'expected this' },
      { setting: '.env', text: 'expected that' },
    ]);
    expect(linesOf(error)).toEqual([
      { level: 'fatal', setting: 'PORT', msg: 'PORT: expected this' },
      { level: 'fatal', setting: '.env', msg: '.env: expected that' },
    ]);
  });

  it('logs any other error with its stack, and redacts all secrets', () => {
    const secrets = 'never-shown-1 never-shown-2 never-shown-3 never%2Dshown-4 never-shown-4';
    expect(linesOf(new TypeError(`unforeseen: ${secrets}`))).toEqual([
      {
        level: 'fatal',
        err: {
          type: 'TypeError',
          message: 'unforeseen: [secret] [secret] [secret] [secret] [secret]',
          stack: expect.stringContaining('startFailure.test.ts'),
        },
        msg: 'The server cannot start',
      },
    ]);
  });
});
