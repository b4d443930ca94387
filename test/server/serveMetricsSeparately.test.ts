import { afterEach, describe, expect, it } from '@jest/globals';
import Fastify from 'fastify';
import { loadConfig } from '../../src/config/loadConfig.ts';
import { SECURITY_HEADERS } from '../../src/server/http/securityHeaders.ts';
import { serveMetricsSeparately } from '../../src/server/serveMetricsSeparately.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { findFreePort } from '../support/freePort.ts';
import { createMemoryLog } from '../support/memoryLog.ts';
import { parseMetrics } from '../support/metrics.ts';
import { sendRaw } from '../support/rawHttp.ts';

const SECRET = 'sk-of-a-scraper';

describe('the listener at METRICS_PORT', () => {
  let app: TestApp;
  let port: number;
  let lines: Record<string, unknown>[];

  async function start(options: { readonly requestMs?: number } = {}): Promise<void> {
    const memory = createMemoryLog();
    ({ lines } = memory);
    port = await findFreePort();
    const variables = { METRICS_PORT: String(port) };
    app = await startApp(new URL('http://127.0.0.1:9'), variables, { log: memory.log, ...options });
    await app.server.ready();
    lines.length = 0;
  }
  afterEach(() => app.close());

  const send = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });

  it('logs nothing of a scrape, and of no other request', async () => {
    await start();
    for (const method of ['GET', 'HEAD', 'POST'])
      for (const path of ['/metrics', '/nothing', '/%zz']) await send(`${path}?token=${SECRET}`, method);
    await sendRaw(port, [`GET /metrics?token=${SECRET} HTTP/1.1\r\nHost a\r\n\r\n`]);
    expect(lines).toEqual([]);
  });

  it('serves GET and HEAD', async () => {
    await start();
    const response = await send('/metrics');
    expect(response.status).toBe(200);
    expect(parseMetrics(await response.text()).types.size).toBeGreaterThan(10);
    const head = await send('/metrics', 'HEAD');
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toBe(response.headers.get('content-type'));
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'refuses %s, and says what is allowed',
    async (method) => {
      await start();
      const response = await send(`/metrics?token=${SECRET}`, method);
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect(await response.json()).toEqual({
        error: 'Method Not Allowed',
        message: `Expected one of the methods GET, HEAD, but got: ${method}`,
      });
    },
  );

  it('has nothing at any other path', async () => {
    await start();
    const response = await send(`/graphql?token=${SECRET}`, 'POST');
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: 'Not Found',
      message: 'There is nothing at this path: metrics are at /metrics',
    });
  });

  it('responds to a malformed URL in JSON', async () => {
    await start();
    const response = await send('/%zz');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      400,
      'application/json; charset=utf-8',
    ]);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('responds to what is no request in JSON, and closes the connection', async () => {
    await start();
    const { statuses, text, isClosed } = await sendRaw(port, ['GET /metrics HTTP/1.1\r\nHost a\r\n\r\n']);
    expect([statuses, isClosed]).toEqual([[400], true]);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({
      errors: [{ message: 'Expected a valid HTTP request' }],
    });
  });

  it('cuts off a request that does not arrive in time', async () => {
    await start({ requestMs: 50 });
    const { statuses, isClosed } = await sendRaw(port, ['GET /metrics HTTP/1.1\r\nHost: a\r\n']);
    expect([statuses, isClosed]).toEqual([[408], true]);
  });

  it.each(['/metrics', '/nothing', '/%zz'])('sends the security headers at %s', async (path) => {
    await start();
    const { headers } = await send(path);
    expect(Object.fromEntries(headers)).toMatchObject(SECURITY_HEADERS);
  });

  it('reveals nothing about an unexpected error, which is logged', async () => {
    await start();
    const memory = createMemoryLog();
    const main = Fastify();
    const metricsPort = await findFreePort();
    const read = () => Promise.reject(new Error(SECRET));
    serveMetricsSeparately(
      main,
      { contentType: 'text/plain', read },
      {
        host: '127.0.0.1',
        port: metricsPort,
        onRoute: undefined,
        limits: loadConfig({}).limits,
        source: 'keyapi',
        log: memory.log,
      },
    );
    await main.ready();
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const text = await response.text();
    await main.close();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
    expect(text).not.toContain(SECRET);
    expect(memory.lines).toContainEqual(expect.objectContaining({ msg: 'Unexpected error' }));
  });
});
