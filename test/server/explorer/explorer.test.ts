import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { LightMyRequestResponse } from 'fastify';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const TRUSTED_ONLY = {
  PERSISTED_DOCUMENTS: path.resolve('schema/persisted-documents.json'),
  PERSISTED_DOCUMENTS_ONLY: 'true',
};

let app: EmulatedApp;

// GraphiQL itself is tested in a browser: test/system/examples/explorer.test.ts.
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
