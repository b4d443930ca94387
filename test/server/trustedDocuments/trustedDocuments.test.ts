import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { print } from 'graphql';
import * as operations from '../../../schema/generated/operations.ts';
import { type EmulatedApp, type GraphqlResult, startApp, startEmulatedApp } from '../../support/app.ts';

const MANIFEST = 'schema/persisted-documents.json';
const TEXT = print(operations.ChartFactsDocument);
const HASH = createHash('sha256').update(TEXT).digest('hex');
const UNKNOWN = 'a'.repeat(64);
const FACTS = { data: { trendingVideos: { totalCount: 500, stale: false } } };
const PREFLIGHT = { 'apollo-require-preflight': 'true' };

let app: EmulatedApp | undefined;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
});

afterEach(async () => {
  await app?.close();
  app = undefined;
});

afterAll(() => rm(folder, { recursive: true }));

async function start(variables: Record<string, string> = {}): Promise<EmulatedApp> {
  app = await startEmulatedApp({}, { PERSISTED_DOCUMENTS: MANIFEST, ...variables });
  return app;
}

/** Sends a request; returns the status and the body of the response. */
async function send(request: InjectOptions) {
  if (!app) throw new Error('not started');
  const before = app.reported();
  const response = await app.server.inject({ url: '/graphql', ...request });
  const result: GraphqlResult<unknown> = response.json();
  app.claimedElsewhere += app.reported() - before;
  return { status: response.statusCode, ...result };
}

function post(payload: object) {
  return send({ method: 'POST', payload });
}

function get(query: Record<string, string>) {
  return send({ query, headers: PREFLIGHT });
}

function byHash(sha256Hash: string) {
  return { extensions: { persistedQuery: { version: 1, sha256Hash } } };
}

describe('schema/persisted-documents.json', () => {
  it('has the documents of the generated code, by the SHA-256 of the text that clients print', async () => {
    const documents = Object.entries(operations).filter(([name]) => name.endsWith('Document'));
    const texts = documents.map(([, document]) => print(document));
    const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;
    const manifest = JSON.parse(await readFile(MANIFEST, 'utf8'));
    expect(manifest).toEqual(Object.fromEntries(texts.map((text) => [hash(text), text])));
  });
});

describe('a trusted document', () => {
  it('is executed by its hash alone, however the hash is sent', async () => {
    await start();
    const extensions = JSON.stringify(byHash(HASH).extensions);
    const results = [
      await post(byHash(HASH)),
      await post(byHash(`sha256:${HASH}`)),
      await post({ documentId: HASH }),
      await post({ documentId: `sha256:${HASH}`, variables: { region: 'US' }, operationName: 'ChartFacts' }),
      await get({ documentId: `sha256:${HASH}` }),
      await get({ extensions, variables: '{"region":"us"}' }),
      // Empty parameters count as absent.
      await post({ ...byHash(HASH), query: '', documentId: '', operationName: '' }),
      await post({ documentId: HASH, query: '', operationName: '' }),
      await get({ extensions, query: '', documentId: '', operationName: '', variables: '' }),
      await get({ documentId: HASH, query: '', operationName: '', variables: '', extensions: '' }),
    ];
    for (const result of results) expect(result).toMatchObject({ status: 200, ...FACTS });
    expect(app?.bill).toHaveLength(1);
  });

  it('accepts variables, and reports invalid ones as usual', async () => {
    await start();
    const { errors } = await post({ ...byHash(HASH), variables: { region: 'ZZ' } });
    expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }]);
    expect(await get({ documentId: HASH, variables: '{"region":"FR"}' })).toMatchObject(FACTS);
    expect(app?.bill).toMatchObject([{ region: 'FR' }]);
  });

  it('may come from a manifest of the Relay compiler or of Apollo', async () => {
    const operation = { id: 'my-id', name: 'ChartFacts', type: 'query', body: TEXT };
    const manifests = [
      { 'my-id': TEXT },
      { format: 'apollo-persisted-query-manifest', version: 1, operations: [operation] },
    ];
    for (const [index, manifest] of manifests.entries()) {
      const file = path.join(folder, `${index}.json`);
      await writeFile(file, JSON.stringify(manifest));
      await start({ PERSISTED_DOCUMENTS: file, PERSISTED_DOCUMENTS_ONLY: 'true' });
      expect(await post({ documentId: 'my-id' })).toMatchObject(FACTS);
      await app?.close();
    }
    app = undefined;
  });

  it('may come from a manifest that starts with a byte order mark', async () => {
    const file = path.join(folder, 'mark.json');
    await writeFile(file, `\ufeff${JSON.stringify({ 'my-id': TEXT })}`);
    await start({ PERSISTED_DOCUMENTS: file });
    expect(await post({ documentId: 'my-id' })).toMatchObject(FACTS);
  });

  it('does not prevent other documents and automatic persisted queries', async () => {
    await start();
    expect(await post({ query: '{ __typename }' })).toMatchObject({ data: { __typename: 'Query' } });
    const query = '{ trendingVideos { stale } }';
    const own = byHash(createHash('sha256').update(query).digest('hex'));
    expect((await post(own)).errors).toMatchObject([{ message: 'PersistedQueryNotFound' }]);
    expect((await post({ ...own, query })).data).toEqual({ trendingVideos: { stale: false } });
    expect((await post(own)).data).toEqual({ trendingVideos: { stale: false } });
    expect((await post({ ...own, query: '', documentId: '' })).data).toEqual({
      trendingVideos: { stale: false },
    });
  });
});

describe('an unknown hash', () => {
  it.each([{}, { PERSISTED_DOCUMENTS_ONLY: 'true' }])(
    'is a PersistedQueryNotFound error, as clients expect: %j',
    async (variables) => {
      await start(variables);
      for (const result of [
        await post(byHash(UNKNOWN)),
        await post({ documentId: `sha256:${UNKNOWN}` }),
        await post({ documentId: '__proto__' }),
        await get({ documentId: UNKNOWN }),
        await get({ extensions: JSON.stringify(byHash(UNKNOWN).extensions) }),
      ]) {
        expect(result.errors).toMatchObject([
          {
            message: 'PersistedQueryNotFound',
            extensions: { code: 'PERSISTED_QUERY_NOT_FOUND', retryable: false },
          },
        ]);
      }
      expect(app?.bill).toEqual([]);
    },
  );
});

describe('an empty hash', () => {
  it.each([{}, { PERSISTED_DOCUMENTS: '' }])('counts as absent: %j', async (variables) => {
    await start(variables);
    const missing = {
      message: expect.stringContaining('must contain a non-empty `query`'),
      extensions: { code: 'BAD_REQUEST' },
    };
    for (const result of [await post({ documentId: '' }), await get({ documentId: '' })]) {
      expect(result).toMatchObject({ status: 400, errors: [missing] });
    }
  });
});

describe('PERSISTED_DOCUMENTS_ONLY', () => {
  const REFUSAL = {
    message: expect.stringMatching(
      /^This server executes only trusted documents \(PERSISTED_DOCUMENTS_ONLY\): expected a hash.*but got: the text/,
    ),
    extensions: { code: 'PERSISTED_QUERY_ID_REQUIRED', retryable: false },
  };

  it('refuses every document text, even that of a trusted document, and spends nothing', async () => {
    await start({ PERSISTED_DOCUMENTS_ONLY: 'true' });
    for (const result of [
      await post({ query: '{ trendingVideos { stale } }' }),
      await post({ query: TEXT }),
      await post({ query: TEXT, ...byHash(HASH) }),
      await post({ query: TEXT, documentId: HASH }),
      await post({ query: '{ __schema { queryType { name } } }' }),
      await post({ query: 1 }),
      await get({ query: TEXT }),
      await get({ query: TEXT, documentId: HASH }),
    ]) {
      expect(result).toMatchObject({ status: 400, errors: [REFUSAL] });
    }
    expect(app?.bill).toEqual([]);
    expect(await post(byHash(HASH))).toMatchObject(FACTS);
  });

  it('refuses it in a media type that the client accepts', async () => {
    const server = (await start({ PERSISTED_DOCUMENTS_ONLY: 'true' })).server;
    const postAccepting = async (accept: string) => {
      const { statusCode, headers } = await server.inject({
        method: 'POST',
        url: '/graphql',
        payload: { query: '{ __typename }' },
        headers: { accept },
      });
      return [statusCode, headers['content-type'], headers['cache-control']];
    };
    expect(await postAccepting('application/json')).toEqual([
      200,
      'application/json; charset=utf-8',
      'no-store',
    ]);
    expect(await postAccepting('application/graphql-response+json')).toEqual([
      400,
      'application/graphql-response+json; charset=utf-8',
      'no-store',
    ]);
  });

  it('executes no document text that is sent in another way', async () => {
    await start({ PERSISTED_DOCUMENTS_ONLY: 'true' });
    const text = '{ trendingVideos { stale } }';
    const own = byHash(createHash('sha256').update(text).digest('hex'));
    await post({ ...own, query: text });
    expect((await post(own)).errors).toMatchObject([{ message: 'PersistedQueryNotFound' }]);
    for (const payload of [[{ query: text }], { Query: text }, { extensions: { query: text } }]) {
      expect((await post(payload)).status).toBe(400);
    }
    for (const query of [
      `query=${encodeURIComponent(text)}&query=`,
      `query=&query=${encodeURIComponent(text)}`,
    ]) {
      const response = await app?.server.inject({ url: `/graphql?${query}`, headers: PREFLIGHT });
      expect(response?.statusCode).toBe(400);
    }
    expect(app?.bill).toEqual([]);
  });

  it('still serves Apollo Sandbox in development', async () => {
    const { server } = await start({ PERSISTED_DOCUMENTS_ONLY: 'true' });
    const page = await server.inject({ url: '/graphql', headers: { accept: 'text/html' } });
    expect([page.statusCode, page.headers['content-type']]).toEqual([200, 'text/html']);
  });
});

describe('startup', () => {
  const UPSTREAM = new URL('http://127.0.0.1:9');

  it.each([
    [
      'does not exist',
      undefined,
      /^The settings are not valid:\n {2}- PERSISTED_DOCUMENTS: expected a manifest of trusted documents: ENOENT/,
    ],
    ['is not JSON', '{', /trusted documents: .*JSON/],
    ['is a list', '[]', /trusted documents: its format is unknown/],
    ['contains other values', '{"a":1}', /trusted documents: its format is unknown/],
  ])('fails with a clear message when the manifest %s', async (_, content, message) => {
    const file = path.join(folder, 'bad.json');
    if (content !== undefined) await writeFile(file, content);
    await expect(startApp(UPSTREAM, { PERSISTED_DOCUMENTS: file })).rejects.toThrow(message);
  });

  it('fails when only trusted documents are allowed and there is no manifest', async () => {
    await expect(startApp(UPSTREAM, { PERSISTED_DOCUMENTS_ONLY: 'true' })).rejects.toThrow(
      /PERSISTED_DOCUMENTS: expected the manifest/,
    );
  });
});
