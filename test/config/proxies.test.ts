import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readEnvironment } from '../../src/config/environment.ts';
import { listFileSettings } from '../../src/config/fileSettings.ts';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { maskCredentials } from '../../src/config/secrets.ts';
import { problems } from '../support/problems.ts';

const SECRET = 's3cr3t-never-shown';

/** The proxy that is used, by its address, and the variable that names it. */
function proxyWith(variables: Record<string, string>): string {
  const { proxy, bypassedProxy } = loadConfig({ KEYAPI_TOKEN: 'sk', ...variables }).keyapi;
  if (bypassedProxy) expect(proxy).toBeUndefined();
  return proxy ? `${proxy.url.href} (${proxy.variable})` : bypassedProxy ? 'bypassed' : 'none';
}

describe('the proxy for KeyAPI', () => {
  const HTTPS = { KEYAPI_BASE_URL: 'https://api.example' };
  const HTTP = { KEYAPI_BASE_URL: 'http://api.example' };

  it.each<[string, Record<string, string>]>([
    ['none', {}],
    ['http://a:3128/ (HTTPS_PROXY)', { ...HTTPS, HTTPS_PROXY: 'http://a:3128', HTTP_PROXY: 'http://b:3128' }],
    ['http://b:3128/ (HTTP_PROXY)', { ...HTTP, HTTPS_PROXY: 'http://a:3128', HTTP_PROXY: 'http://b:3128' }],
    ['none', { ...HTTPS, HTTP_PROXY: 'http://b:3128' }],
    ['none', { ...HTTP, HTTPS_PROXY: 'http://a:3128' }],
    ['none', { ...HTTPS, ALL_PROXY: 'http://a:3128' }],
    ['http://a:3128/ (https_proxy)', { ...HTTPS, https_proxy: 'http://a:3128' }],
    [
      'http://a:3128/ (https_proxy)',
      { ...HTTPS, https_proxy: 'http://a:3128', HTTPS_PROXY: 'http://b:3128' },
    ],
    ['http://b:3128/ (HTTPS_PROXY)', { ...HTTPS, https_proxy: ' ', HTTPS_PROXY: 'http://b:3128' }],
    ['none', { ...HTTPS, https_proxy: '', HTTPS_PROXY: '' }],
    ['http://proxy:3128/ (HTTPS_PROXY)', { HTTPS_PROXY: 'proxy:3128' }],
    ['http://proxy/ (HTTPS_PROXY)', { HTTPS_PROXY: 'proxy' }],
    ['http://u:p%40@proxy:3128/ (HTTPS_PROXY)', { HTTPS_PROXY: 'u:p%40@proxy:3128' }],
    ['https://proxy/ (HTTPS_PROXY)', { HTTPS_PROXY: 'HTTPS://proxy:443/' }],
    ['http://[::1]:3128/ (HTTPS_PROXY)', { HTTPS_PROXY: '[::1]:3128' }],
    ['bypassed', { ...HTTPS, HTTPS_PROXY: 'a', no_proxy: 'api.example', NO_PROXY: 'other' }],
    ['http://a/ (HTTPS_PROXY)', { ...HTTPS, HTTPS_PROXY: 'a', no_proxy: 'other', NO_PROXY: 'api.example' }],
    ['none', { KEYAPI_EMULATOR: 'true', HTTP_PROXY: 'a', HTTPS_PROXY: 'a', http_proxy: 'a' }],
    ['none', { KEYAPI_TOKEN: '', HTTP_PROXY: 'a', HTTPS_PROXY: 'a' }],
  ])('is %s with %j', (proxy, variables) => expect(proxyWith(variables)).toBe(proxy));

  it.each([
    'socks5://proxy:1080',
    `socks5h://u:${SECRET}@proxy:1080`,
    'ftp://proxy',
    'http://',
    'http://proxy:99999',
    'http://proxy/path',
    'http://proxy?a',
    'http://proxy#a',
    `http://u:${SECRET}%@proxy:3128`,
    `u:${SECRET}/@proxy:3128`,
    'http://a b',
    'proxy one',
  ])('may not be %j', (value) => {
    for (const name of ['HTTPS_PROXY', 'http_proxy']) {
      const [problem, ...others] = problems({ [name]: value });
      expect(problem).toMatch(
        new RegExp(`^${name}: expected an http or https address of a proxy, .*, but got`),
      );
      expect(problem).not.toContain(SECRET);
      expect(others).toEqual([]);
    }
  });

  it('is shown without its credentials, which the log redacts', () => {
    const { keyapi, secrets } = loadConfig({ KEYAPI_TOKEN: 'sk-123', https_proxy: `u:${SECRET}@proxy:3128` });
    expect(keyapi.proxy && maskCredentials(keyapi.proxy.url)).toBe('http://***@proxy:3128');
    expect(secrets).toContain(SECRET);
  });

  it('may be misspelt, which is a problem, also in lower case', () => {
    expect(problems({ HTTPS_PROXI: 'a', htp_proxy: 'b' })).toEqual([
      'HTTPS_PROXI: expected a setting: did you mean HTTPS_PROXY?',
      'htp_proxy: expected a setting: did you mean HTTP_PROXY?',
    ]);
    expect(problems({ HTTPS_PROXI: 'a', https_proxy: 'b' })).toEqual([]);
  });
});

describe('NO_PROXY', () => {
  it.each([
    [
      'https://api.example.com',
      ['api.example.com', 'API.Example.COM', 'example.com', '.example.com', '*.example.com'],
    ],
    [
      'https://api.example.com',
      ['*', 'com', 'api.example.com.', 'a,api.example.com', 'a  api.example.com', ' , example.com,'],
    ],
    ['https://api.example.com', ['api.example.com:443', '.example.com:443', '*.example.com:443']],
    ['https://example.com', ['example.com', '.example.com', '*.example.com']],
    ['https://api.example.com.', ['example.com', 'api.example.com.']],
    ['https://api.example.com:8443', ['api.example.com:8443', 'api.example.com']],
    ['https://10.1.2.3', ['10.1.2.3', '10.0.0.0/8', '10.1.2.3/32', '10.1.2.3:443', '0.0.0.0/0']],
    [
      'https://[2001:db8::1]',
      ['2001:db8::1', '[2001:db8::1]', '2001:DB8:0::1', '[2001:db8::1]:443', '2001:db8::/32'],
    ],
  ])('excludes %s if it is any of %j', (KEYAPI_BASE_URL, values) => {
    const proxies = values.map((NO_PROXY) => proxyWith({ KEYAPI_BASE_URL, HTTPS_PROXY: 'proxy', NO_PROXY }));
    expect(proxies).toEqual(values.map(() => 'bypassed'));
  });

  it.each([
    [
      'https://api.example.com',
      ['ample.com', 'pi.example.com', 'x.api.example.com', 'api.example.com:80', 'http://api.example.com'],
    ],
    [
      'https://api.example.com',
      [',', '.', '*.', '**', 'api.*', 'api.example.com/', '10.0.0.0/8', '::1', 'example.com:443x'],
    ],
    ['https://api.example.com:8443', ['api.example.com:443']],
    [
      'https://10.1.2.3',
      [
        '10.1.2.4',
        '2.3',
        '.2.3',
        '11.0.0.0/8',
        '10.0.0.0/33',
        '10.0.0.0/',
        '10.0.0.0/8/8',
        '::/0',
        '10.1.2.3:80',
      ],
    ],
    ['https://[2001:db8::1]', ['2001:db8::2', '[2001:db8::1]:80', '2001:db9::/32', '0.0.0.0/0']],
  ])('does not exclude %s if it is any of %j', (KEYAPI_BASE_URL, values) => {
    const proxies = values.map((NO_PROXY) => proxyWith({ KEYAPI_BASE_URL, HTTPS_PROXY: 'proxy', NO_PROXY }));
    expect(proxies).toEqual(values.map(() => 'http://proxy/ (HTTPS_PROXY)'));
  });
});

describe('proxies in the file .env', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'proxies-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it.each<[string, string, Record<string, string>, string[]]>([
    ['http://b/ (https_proxy)', 'HTTPS_PROXY=a\nhttps_proxy=b', {}, []],
    // The environment takes precedence over the file, however the names are written, even if its value is empty.
    ['http://c/ (HTTPS_PROXY)', 'https_proxy=b', { HTTPS_PROXY: 'c' }, ['https_proxy']],
    ['http://c/ (https_proxy)', 'HTTPS_PROXY=a', { https_proxy: 'c' }, ['HTTPS_PROXY']],
    ['none', 'HTTPS_PROXY=a\nhttps_proxy=b', { https_proxy: '' }, ['https_proxy', 'HTTPS_PROXY']],
    ['http://a/ (HTTPS_PROXY)', 'HTTPS_PROXY=a\nNO_PROXY=*', { no_proxy: '' }, ['NO_PROXY']],
  ])('lead to %s: %j with %j', async (proxy, text, variables, hidden) => {
    await writeFile(path.join(folder, '.env'), `${text}\n`);
    const environment = readEnvironment(variables, folder);
    const present = Object.entries(environment.variables).map(([name, value = '']) => [name, value]);
    expect(proxyWith(Object.fromEntries(present))).toBe(proxy);
    expect(environment.file && listFileSettings(environment.file).hidden).toEqual(hidden);
  });
});
