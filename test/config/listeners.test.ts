import { describe, expect, it } from '@jest/globals';
import { ConfigError, toLine } from '../../src/config/configError.ts';
import { explainListenError, toListenError } from '../../src/config/listeners.ts';

/** What is printed when listening fails on `port`. */
function explain(code: string, port: number, host = '127.0.0.1'): string {
  const error = Object.assign(new Error(`listen ${code}`), { code, port });
  const explained = toListenError(error, { host, port: 4000, metrics: { port: 9090 } });
  if (explained instanceof ConfigError) return explained.problems.map(toLine).join();
  return `unknown: ${(explained as Error).message}`;
}

describe('explainListenError', () => {
  it.each([
    [80, '1024 or more'],
    [1023, '1024 or more'],
    [1024, 'another port'],
  ])('says which port to set instead of %i, on which this user may not listen', (port, instead) => {
    const problem = explainListenError({ code: 'EACCES' }, { setting: 'PORT', host: '::', port });
    expect(problem?.text).toBe(`this user may not listen on [::]:${port}: set PORT to ${instead}`);
  });
});

describe('toListenError', () => {
  it.each([
    [
      'EADDRINUSE',
      4000,
      'PORT: 127.0.0.1:4000 is in use: stop the program that listens there, or set PORT to another port',
    ],
    [
      'EADDRINUSE',
      9090,
      'METRICS_PORT: 127.0.0.1:9090 is in use: stop the program that listens there, or set METRICS_PORT to another port',
    ],
    ['EACCES', 4000, 'PORT: this user may not listen on 127.0.0.1:4000: set PORT to another port'],
    [
      'EACCES',
      9090,
      'METRICS_PORT: this user may not listen on 127.0.0.1:9090: set METRICS_PORT to another port',
    ],
    ['EADDRNOTAVAIL', 4000, 'HOST: expected an address of this machine, but got: "127.0.0.1"'],
    ['ENOTFOUND', 4000, 'HOST: expected an address, or a name that DNS can resolve, but got: "127.0.0.1"'],
    ['EAI_AGAIN', 4000, 'HOST: expected an address, or a name that DNS can resolve, but got: "127.0.0.1"'],
    ['EMFILE', 4000, 'unknown: listen EMFILE'],
  ])('names the setting to change after %s on port %i', (code, port, printed) => {
    expect(explain(code, port)).toBe(printed);
  });

  it('writes an IPv6 address as in a URL, and never shows a password', () => {
    expect(explain('EADDRINUSE', 4000, '::1')).toContain('PORT: [::1]:4000 is in use');
    expect(explain('ENOTFOUND', 4000, 'http://user:secret@host')).toContain('but got: "http://***@host/"');
  });
});
