import { describe, expect, it } from '@jest/globals';
import { parseInfo } from '../../../../src/data/redis/connection/openRedis.ts';

describe('parseInfo', () => {
  it.each([
    [
      'Redis',
      'redis_version:7.0.15\r\nredis_mode:cluster\r\nrun_id:abc\r\n',
      { mode: 'cluster', version: '7.0.15', runId: 'abc' },
    ],
    // As in the documentation of its command INFO.
    [
      'Valkey',
      'redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\nserver_mode:standalone\r\n',
      { mode: 'standalone', version: '8.0.1', runId: undefined },
    ],
    ['a server that says neither', '# Server\r\n', { mode: undefined, version: undefined, runId: undefined }],
  ])('reads what %s says about itself', (_name, text, info) => {
    expect(parseInfo(text)).toEqual(info);
  });
});
