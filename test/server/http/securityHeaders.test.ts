import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import helmet from 'helmet';
import { pino } from 'pino';
import { SECURITY_HEADERS } from '../../../src/server/http/securityHeaders.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const OPERATION: InjectOptions = { method: 'POST', url: '/graphql', payload: { query: '{ __typename }' } };
const PAGE: InjectOptions = { url: '/graphql', headers: { accept: 'text/html' } };

let app: EmulatedApp | undefined;

afterEach(async () => {
  await app?.close();
  app = undefined;
});

describe('SECURITY_HEADERS', () => {
  it('are what helmet sends for an API', () => {
    const sent: Record<string, unknown> = {};
    const response = {
      setHeader: (name: string, value: unknown) => {
        sent[name.toLowerCase()] = value;
      },
      removeHeader: () => undefined,
    } as unknown as ServerResponse;
    const middleware = helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      },
      strictTransportSecurity: { includeSubDomains: false },
      xFrameOptions: { action: 'deny' },
      crossOriginOpenerPolicy: false,
      originAgentCluster: false,
      xDnsPrefetchControl: false,
      xDownloadOptions: false,
      xPermittedCrossDomainPolicies: false,
      xXssProtection: false,
      xPoweredBy: false,
    });
    let isDone = false;
    middleware({} as IncomingMessage, response, (error) => {
      expect(error).toBeUndefined();
      isDone = true;
    });
    expect(isDone).toBe(true);
    expect(sent).toEqual(SECURITY_HEADERS);
  });
});

describe('every response', () => {
  it.each<[string, InjectOptions, number]>([
    ['an operation', OPERATION, 200],
    ['a document that does not parse', { ...OPERATION, payload: { query: '{' } }, 400],
    ['a body of an unknown type', { ...OPERATION, payload: '{' }, 415],
    ['a request with a wrong key', { ...OPERATION, headers: { 'x-api-key': 'wrong' } }, 401],
    ['a method that is not allowed', { method: 'PUT', url: '/graphql' }, 405],
    ['an unknown path', { url: '/nothing' }, 404],
    ['a malformed URL', { url: '/%zz' }, 400],
    ['a health check', { url: '/livez' }, 200],
  ])(
    'has the security headers of an API, and reveals nothing about this server: %s',
    async (_name, request, status) => {
      app = await startEmulatedApp({}, { NODE_ENV: 'production', API_KEYS: '0123456789' });
      const headers = { 'x-api-key': '0123456789', ...request.headers };
      const response = await app.server.inject({ ...request, headers });
      expect(response.statusCode).toBe(status);
      expect(response.headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'cross-origin-resource-policy': 'same-origin',
        'referrer-policy': 'no-referrer',
        'strict-transport-security': 'max-age=31536000',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'cache-control': 'no-store',
      });
      expect(response.headers.server).toBeUndefined();
      expect(response.headers['x-powered-by']).toBeUndefined();
      expect(response.body).not.toMatch(/node_modules|\.[jt]s\b|127\.0\.0\.1|fastify|apollo|"stack/i);
    },
  );

  it('reveals nothing about an unexpected error, which is logged', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'error' }, { write: (line) => void lines.push(line) });
    const checkOverload = () => {
      throw new Error(`secret of ${import.meta.url} at 127.0.0.1`);
    };
    app = await startEmulatedApp({}, { NODE_ENV: 'production' }, { log, checkOverload });
    const response = await app.server.inject(OPERATION);
    expect(response.statusCode).toBe(500);
    expect(response.json()).toEqual({
      errors: [
        {
          message: 'Internal server error',
          extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false },
        },
      ],
      extensions: { upstream: expect.objectContaining({ requests: 0 }) },
    });
    expect(lines).toEqual([expect.stringMatching(/secret of/)]);
  });
});

describe('the page of Apollo Sandbox', () => {
  it('has a content security policy of its own, which the header does not narrow', async () => {
    app = await startEmulatedApp();
    const { headers, body } = await app.server.inject(PAGE);
    const own = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(body)?.[1] ?? '';
    const toNames = (policy: string): string[] =>
      policy.split(';').map((part) => part.trim().split(' ')[0] ?? '');
    expect(toNames(own)).toEqual(['script-src', 'style-src', 'img-src', 'manifest-src', 'frame-src']);
    expect(own).toMatch(/script-src 'self' 'nonce-[0-9a-f]+'/);
    // None of these restricts what the page loads or connects to: it sends the frame's operations to this server.
    expect(toNames(`${headers['content-security-policy']}`)).toEqual([
      'base-uri',
      'form-action',
      'frame-ancestors',
      'object-src',
    ]);
    expect(body).not.toMatch(/<(base|form|object|embed)\b/);
    expect(headers).toMatchObject({
      'content-type': expect.stringMatching(/^text\/html/),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
    });
  });
});

describe('CORS', () => {
  const LIST = 'https://a.example,https://b.example:8443';

  it.each(['https://a.example', 'https://b.example:8443'])(
    'allows %s, without credentials',
    async (origin) => {
      app = await startEmulatedApp(
        {},
        { NODE_ENV: 'production', CORS_ORIGINS: LIST, API_KEYS: '0123456789' },
      );
      const preflight = { origin, 'access-control-request-method': 'POST' };
      const requests: [InjectOptions, number][] = [
        [{ method: 'OPTIONS', url: '/graphql', headers: preflight }, 204],
        [{ ...OPERATION, headers: { origin, 'x-api-key': '0123456789', cookie: 'a=b' } }, 200],
        [{ ...OPERATION, headers: { origin } }, 401],
      ];
      for (const [request, status] of requests) {
        const { statusCode, headers } = await app.server.inject(request);
        expect([statusCode, headers['access-control-allow-origin']]).toEqual([status, origin]);
        expect(headers['access-control-allow-credentials']).toBeUndefined();
        expect(headers.vary).toMatch(/Origin/);
      }
    },
  );

  it.each([
    'https://c.example',
    'http://a.example',
    'https://a.example:8443',
    'https://a.example.evil.example',
    'https://evil.example/https://a.example',
    'HTTPS://A.EXAMPLE',
    'null',
    '*',
  ])('does not allow %s', async (origin) => {
    app = await startEmulatedApp({}, { NODE_ENV: 'production', CORS_ORIGINS: LIST });
    for (const request of [{ method: 'OPTIONS', url: '/graphql' } as const, OPERATION]) {
      const { headers } = await app.server.inject({
        ...request,
        headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect(headers['access-control-allow-origin']).toBeUndefined();
      expect(headers['access-control-allow-credentials']).toBeUndefined();
    }
  });
});
