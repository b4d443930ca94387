import { expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { createListener } from '../../src/server/createListener.ts';
import { createMemoryLog } from '../support/memoryLog.ts';

it('lets no cache store the error of a response that was meant to be stored', async () => {
  const { server } = createListener({
    source: 'keyapi',
    limits: loadConfig({}).limits,
    log: createMemoryLog().log,
    onRoute: undefined,
    notFound: 'nothing',
  });
  server.get('/page', (_request, reply) => {
    // As when its compression fails.
    reply.header('cache-control', 'public, max-age=60').send(new Error('failed'));
  });
  const response = await server.inject('/page');
  expect([response.statusCode, response.headers['cache-control']]).toEqual([500, 'no-store']);
  await server.close();
});
