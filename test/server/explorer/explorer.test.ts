import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { EXAMPLES } from '../../../src/server/explorer/examples.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const TRUSTED_ONLY = {
  PERSISTED_DOCUMENTS: path.resolve('schema/persisted-documents.json'),
  PERSISTED_DOCUMENTS_ONLY: 'true',
};

let app: EmulatedApp;

afterEach(() => app.close());

/** What a browser gets that visits a path. */
function visit(url: string): Promise<LightMyRequestResponse> {
  return app.server.inject({ url, headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
}

describe('in development', () => {
  it('/ leads to GraphiQL', async () => {
    app = await startEmulatedApp();
    const { statusCode, headers } = await visit('/');
    expect([statusCode, headers.location]).toEqual([302, '/graphiql']);
  });

  it('GraphiQL has a tab for each example, may load nothing from elsewhere, and costs nothing', async () => {
    app = await startEmulatedApp();
    const { statusCode, headers, body } = await visit('/graphiql');
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': expect.stringMatching(/^default-src 'none';.*connect-src 'self';/),
      'x-frame-options': 'DENY',
    });
    const tabs = EXAMPLES.map(({ document, variables }) => ({
      query: document,
      variables: JSON.stringify(variables, null, 2),
    }));
    // Not `toContain`: it would print nine megabytes.
    expect(body.includes(`"defaultTabs":${JSON.stringify(tabs)}`)).toBe(true);
    expect(app.bill).toEqual([]);
  });

  it("Sandbox's page leads to GraphiQL where Sandbox cannot be loaded", async () => {
    app = await startEmulatedApp();
    const { body } = await visit('/graphql');
    expect(body).toMatch(/Apollo Sandbox cannot be loaded;[^<]* <a href="\/graphiql">/);
    expect(body).toContain('#embeddableSandbox:empty { display: none; }');
  });

  it.each(['/graphql', '/graphiql'])('%s says so where only trusted documents are executed', async (url) => {
    app = await startEmulatedApp({}, TRUSTED_ONLY);
    const { statusCode, headers, body } = await visit(url);
    expect([statusCode, headers['content-type']]).toEqual([200, expect.stringMatching(/^text\/html/)]);
    expect(body).toMatch(/Only trusted documents are executed here.*PERSISTED_DOCUMENTS_ONLY=true/s);
    expect(body).not.toMatch(/<script/);
  });
});

describe('elsewhere', () => {
  it.each([
    ['in production', { NODE_ENV: 'production' }],
    ['in production with Sandbox', { NODE_ENV: 'production', SANDBOX: 'true' }],
    ['without Sandbox', { SANDBOX: 'false' }],
  ])('%s there is no GraphiQL, and / names the path of the API', async (_, variables) => {
    app = await startEmulatedApp({}, variables);
    for (const url of ['/', '/graphiql']) {
      const response = await visit(url);
      expect([response.statusCode, response.json()]).toEqual([
        404,
        { error: 'Not Found', message: 'There is nothing at this path: GraphQL is at /graphql' },
      ]);
    }
    expect((await visit('/graphql')).body).not.toContain('graphiql');
  });
});
