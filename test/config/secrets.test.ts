import { describe, expect, it } from '@jest/globals';
import { collectSecrets } from '../../src/config/secrets.ts';

describe('collectSecrets', () => {
  it.each([
    ['KEYAPI_TOKEN', 'token', ['token']],
    ['API_KEYS', 'web:key-1,key-2', ['web:key-1,key-2', 'web:key-1', 'key-1', 'key-2']],
    ['REDIS_URL', 'redis://user:p%40ss@redis', ['p%40ss', 'p@ss']],
    ['REDIS_URL', 'redis://secret@redis', ['secret']],
    ['REDIS_URL', 'redis://user:p%40ss@a:7000,b:7001', ['p%40ss', 'p@ss']],
    ['REDIS_URL', 'redis://redis/1', []],
    ['REDIS_SENTINEL_PASSWORD', 'p@ss', ['p@ss']],
    ['KEYAPI_BASE_URL', 'https://api.example/v2?key=a%20b&c#d', ['key=a%20b&c', 'key=a b&c', 'a b', 'd']],
    ['CORS_ORIGINS', 'https://a.example,https://user:pass@b.example', ['pass']],
    ['HTTPS_PROXY', 'http://user:p%40ss@proxy:3128', ['p%40ss', 'p@ss']],
    ['https_proxy', 'user:p%40ss@proxy:3128', ['p%40ss', 'p@ss']],
    ['HTTP_PROXY', 'socks5://user:pass@proxy', ['pass']],
    ['http_proxy', 'proxy:3128', []],
    ['NO_PROXY', 'a.example https://user:pass@b.example', ['pass']],
    ['PORT', 'https://secret@a.example', ['secret']],
    ['OTHER', 'https://secret@a.example', []],
  ])('finds those in %s=%s', (name, value, secrets) => {
    expect(new Set(collectSecrets({ [name]: value }))).toEqual(new Set(secrets));
  });
});
