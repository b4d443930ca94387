import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/loadConfig.ts';
import type { RedisConfig } from '../../src/config/redisConfig.ts';
import { problems } from '../support/problems.ts';

const SECRET = 's3cr3t-never-shown';
const CLUSTER = { REDIS_MODE: 'cluster', REDIS_URL: 'redis://a:7000,b:7001' };
const SENTINEL = { REDIS_MODE: 'sentinel', REDIS_URL: 'redis://a,b:26380', REDIS_SENTINEL_NAME: 'charts' };
const TLS = { REDIS_URL: 'rediss://redis.example' };

const DEFAULTS: RedisConfig = {
  mode: 'single',
  addresses: [],
  username: '',
  password: '',
  database: 0,
  tls: undefined,
  sentinel: undefined,
  prefix: 'trending-graphql',
  timeoutMs: 150,
};
const NO_FILES = { ca: undefined, cert: undefined, key: undefined };

describe('the settings of Redis', () => {
  it.each<[Record<string, string>, Partial<RedisConfig>]>([
    [{ REDIS_URL: 'redis://127.0.0.1' }, { addresses: [{ host: '127.0.0.1', port: 6379 }] }],
    [
      { REDIS_URL: 'rediss://user:p%40ss@redis.example:6380/3' },
      {
        addresses: [{ host: 'redis.example', port: 6380 }],
        username: 'user',
        password: 'p@ss',
        database: 3,
        tls: NO_FILES,
      },
    ],
    [
      { REDIS_URL: `redis://:${SECRET}@[::1]:6379/` },
      { addresses: [{ host: '::1', port: 6379 }], password: SECRET },
    ],
    [
      CLUSTER,
      {
        mode: 'cluster',
        addresses: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
        prefix: '{trending-graphql}',
      },
    ],
    [
      { ...CLUSTER, REDIS_URL: `redis://u:${SECRET},@a:7000, [::1]:7001,c` },
      {
        mode: 'cluster',
        addresses: [
          { host: 'a', port: 7000 },
          { host: '::1', port: 7001 },
          { host: 'c', port: 6379 },
        ],
        username: 'u',
        password: `${SECRET},`,
        prefix: '{trending-graphql}',
      },
    ],
    [
      { ...SENTINEL, REDIS_SENTINEL_PASSWORD: SECRET },
      {
        mode: 'sentinel',
        addresses: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_380 },
        ],
        sentinel: { name: 'charts', password: SECRET },
      },
    ],
    [
      { ...TLS, REDIS_TLS_CA: 'ca.pem', REDIS_TLS_CERT: 'cert.pem', REDIS_TLS_KEY: 'key.pem' },
      {
        addresses: [{ host: 'redis.example', port: 6379 }],
        tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem' },
      },
    ],
  ])('with %j say how Redis is reached', (variables, expected) => {
    expect(loadConfig(variables).redis).toEqual({ ...DEFAULTS, ...expected });
  });

  it.each([
    ['charts', '{charts}'],
    ['{charts}', '{charts}'],
    ['a:{charts}:b', 'a:{charts}:b'],
    ['a{b', '{a{b}'],
    ['a{}b', '{a{}b}'],
    ['a}b', '{a}b}'],
  ])('give the prefix %s of a cluster a hash tag, unless it has one', (prefix, expected) => {
    expect(loadConfig({ ...CLUSTER, REDIS_PREFIX: prefix }).redis?.prefix).toBe(expected);
    const single = { REDIS_URL: 'redis://a', REDIS_PREFIX: prefix };
    expect(loadConfig(single).redis?.prefix).toBe(prefix);
  });

  it.each([
    'redis.example:6379',
    'http://redis.example',
    'redis://',
    'redis://redis.example/zero',
    'redis://redis.example/0?tls=true',
    `redis://user:%${SECRET}@redis.example`,
    `redis://user:${SECRET}@a:7000,`,
    `redis://user:${SECRET}@a:7000,b:x`,
    `redis://a:7000,redis://user:${SECRET}@b`,
    `redis://user:${SECRET}@a:7000,b:7001/x`,
  ])('may not have %s as REDIS_URL, and show no secrets', (text) => {
    const [problem = '', ...others] = problems({ REDIS_URL: text });
    expect(problem).toMatch(/^REDIS_URL: expected/);
    expect(problem).not.toContain(SECRET);
    expect(others).toEqual([]);
  });

  it.each([
    '/var/run/redis.sock',
    './redis.sock',
    'unix:///var/run/redis.sock',
    'redis+socket:///redis.sock',
    'redis:///redis.sock',
    'redis://localhost/tmp/redis.sock',
  ])('say that %s is the path of a socket', (text) => {
    expect(problems({ REDIS_URL: text }).join()).toContain(
      ', not the path of a socket: Redis is reached by TCP',
    );
  });

  it('say that user and password come once', () => {
    const url = `redis://user:${SECRET}@a:7000,user:${SECRET}@b:7001`;
    const [problem = '', ...others] = problems({ REDIS_MODE: 'cluster', REDIS_URL: url });
    expect(problem).toMatch(
      /, with user:password@ only once, before all hosts \(.*\), but got a value that is not shown/,
    );
    expect(problem).not.toContain(SECRET);
    expect(others).toEqual([]);
  });

  it.each(['REDIS_TLS_CA', 'REDIS_TLS_CERT', 'REDIS_TLS_KEY'])(
    'never show a key that is given as %s',
    (name) => {
      const key = `-----BEGIN PRIVATE KEY-----\\n${SECRET}\\n-----END PRIVATE KEY-----`;
      const base64 = Buffer.from(key).toString('base64');
      for (const text of [key, base64]) {
        const found = problems({ ...TLS, [name]: text });
        expect(found).toContain(`${name}: expected the path of a PEM file, not its content`);
        expect(found.join()).not.toContain(text.slice(30, 50));
      }
    },
  );

  it.each<[Record<string, string>, string]>([
    [
      { REDIS_URL: 'redis://a,b' },
      'REDIS_MODE: expected cluster or sentinel, because REDIS_URL has several hosts',
    ],
    [{ REDIS_MODE: 'cluster' }, 'REDIS_URL: expected the addresses that REDIS_MODE=cluster requires'],
    [
      { ...CLUSTER, REDIS_URL: 'redis://a/1' },
      'REDIS_URL: expected no /database with REDIS_MODE=cluster: a cluster has none but 0',
    ],
    [
      { ...CLUSTER, REDIS_PREFIX: '}a' },
      'REDIS_PREFIX: expected a prefix that does not begin with } with REDIS_MODE=cluster',
    ],
    [
      { ...SENTINEL, REDIS_SENTINEL_NAME: '' },
      'REDIS_SENTINEL_NAME: expected the name by which the sentinels know the primary, which REDIS_MODE=sentinel requires',
    ],
    [{ ...TLS, REDIS_TLS_CERT: 'cert.pem' }, 'REDIS_TLS_KEY: expected the key of REDIS_TLS_CERT'],
    [{ ...TLS, REDIS_TLS_KEY: 'key.pem' }, 'REDIS_TLS_CERT: expected the certificate of REDIS_TLS_KEY'],
    [
      { REDIS_URL: 'redis://a', REDIS_TLS_CA: 'ca.pem' },
      'REDIS_URL: expected rediss://, which REDIS_TLS_CA is for',
    ],
  ])('refuse %j', (variables, problem) => {
    expect(problems(variables)).toEqual([problem]);
  });

  it.each([
    CLUSTER,
    { ...CLUSTER, REDIS_URL: 'redis://a/0' },
    SENTINEL,
    { ...SENTINEL, REDIS_URL: 'redis://a/1' },
  ])('accept %j', (variables) => {
    expect(problems(variables)).toEqual([]);
  });
});
