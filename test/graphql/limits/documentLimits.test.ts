import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { getIntrospectionQuery, parse, specifiedRules, type ValidationRule, validate } from 'graphql';
import { loadConfig } from '../../../src/config/loadConfig.ts';
import { createDocumentLimitsRule } from '../../../src/graphql/limits/documentLimits.ts';
import { createSchema } from '../../../src/graphql/schema/createSchema.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

let app: EmulatedApp | undefined;

async function start(variables: Record<string, string> = {}): Promise<EmulatedApp> {
  app = await startEmulatedApp({}, variables);
  return app;
}

afterEach(async () => {
  await app?.close();
  app = undefined;
});

const repeat = (count: number, toText: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => toText(index)).join(' ');

/** Fragments that each spread the next one twice, from `F0` on; the last one has `selection`. */
function doublings(count: number, selection: string): string {
  const on = (index: number): string => `fragment F${index} on Query`;
  const fragments = repeat(count, (index) => `${on(index)} { ...F${index + 1} ...F${index + 1} }`);
  return `${fragments} ${on(count)} { ${selection} }`;
}

describe('a document', () => {
  const roots = (count: number): string => '__typename '.repeat(count);
  const named = (count: number): string => repeat(count, (index) => `a${index}: __typename`);
  const chart = (selection: string): string => `{ trendingVideos { ${selection} } }`;
  const ON_CONNECTION = 'on TrendingVideoConnection';

  const lookups = (count: number, ids: number): string =>
    repeat(count, (index) => `a${index}: nodes(ids: [${'1 '.repeat(ids)}]) { __typename }`);
  const include = (count: number): string => repeat(count, () => '... @include(if: true) { __typename }');

  it.each<[string, string, string, string]>([
    [
      '1000 tokens',
      `{ ${lookups(9, 88)} ${lookups(1, 86).replace('a0', 'b')} }`,
      `{ ${lookups(9, 88)} ${lookups(1, 87).replace('a0', 'b')} }`,
      'Expected at most 1000 tokens (MAX_DOCUMENT_TOKENS), but got more',
    ],
    [
      '20 fields at the root',
      `{ ${roots(20)} }`,
      `{ ${roots(21)} }`,
      'Expected at most 20 fields at the root (MAX_ROOT_FIELDS), but got: 21',
    ],
    [
      '20 fields at the root, including those of fragments',
      `{ ...F ...F __typename __typename } fragment F on Query { ${roots(9)} }`,
      `{ ...F ...F __typename } fragment F on Query { ${roots(10)} }`,
      'Expected at most 20 fields at the root (MAX_ROOT_FIELDS), but got: 21',
    ],
    [
      '30 aliases',
      chart(named(30)),
      chart(named(31)),
      'Expected at most 30 aliases (MAX_DOCUMENT_ALIASES), but got: 31',
    ],
    [
      '30 aliases, including those of fragments',
      `${chart('...F ... { ...F }')} fragment F ${ON_CONNECTION} { ${named(15)} }`,
      `${chart('...F ... { ...F ...F }')} fragment F ${ON_CONNECTION} { ${named(11)} }`,
      'Expected at most 30 aliases (MAX_DOCUMENT_ALIASES), but got: 33',
    ],
    [
      '10 directives',
      `{ ${include(10)} }`,
      `{ ${include(11)} }`,
      'Expected at most 10 directives (MAX_DIRECTIVES), but got: 11',
    ],
    [
      '10 directives, including those of fragments',
      `{ ...F ...F } fragment F on Query { ...G @skip(if: true) ...G } fragment G on Query { ${include(2)} }`,
      `{ ...F @skip(if: true) ...F } fragment F on Query { ...G @skip(if: true) ...G }
       fragment G on Query { ${include(2)} }`,
      'Expected at most 10 directives (MAX_DIRECTIVES), but got: 11',
    ],
  ])('may have %s but not one more', async (_, most, tooMuch, message) => {
    const { query, bill } = await start();
    expect((await query(most)).errors).toBeUndefined();
    const { errors, data } = await query(tooMuch);
    expect(data).toBeUndefined();
    expect(errors).toMatchObject([{ message, extensions: { code: 'DOCUMENT_TOO_LARGE', retryable: false } }]);
    expect(bill).toEqual([]);
  });

  it('may be as deep as the limit, fragments included, but no deeper', async () => {
    const { query } = await start({ MAX_DOCUMENT_DEPTH: '4' });
    const edge = 'fragment E on TrendingVideoEdge';
    expect((await query(`${chart('edges { ...E }')} ${edge} { node { id } }`)).errors).toBeUndefined();
    const { errors } = await query(`${chart('edges { ...E }')} ${edge} { node { creator { handle } } }`);
    expect(errors).toMatchObject([
      { message: 'Expected at most 4 levels of fields (MAX_DOCUMENT_DEPTH), but got: 5' },
    ]);
  });

  it('may be the standard introspection query, where introspection is allowed', async () => {
    const { query } = await start({ MAX_DOCUMENT_DEPTH: '1' });
    expect((await query(getIntrospectionQuery())).errors).toBeUndefined();
    expect((await query(chart('stale'))).errors).toHaveLength(1);
  });

  it('gets an error for each limit that it exceeds', async () => {
    const { query } = await start({
      MAX_DOCUMENT_DEPTH: '1',
      MAX_DOCUMENT_ALIASES: '0',
      MAX_ROOT_FIELDS: '1',
      MAX_DIRECTIVES: '0',
    });
    const { errors } = await query('{ a: __typename trendingVideos { stale @skip(if: true) } }');
    expect(errors?.map(({ message }) => message)).toEqual([
      'Expected at most 1 levels of fields (MAX_DOCUMENT_DEPTH), but got: 2',
      'Expected at most 0 aliases (MAX_DOCUMENT_ALIASES), but got: 1',
      'Expected at most 1 fields at the root (MAX_ROOT_FIELDS), but got: 2',
      'Expected at most 0 directives (MAX_DIRECTIVES), but got: 1',
    ]);
  });

  it('is measured by its largest operation, whichever is to be executed', async () => {
    const { server } = await start();
    const query = `query Small { __typename } query Large { ${roots(21)} }`;
    const payload = { query, operationName: 'Small' };
    const response = await server.inject({ method: 'POST', url: '/graphql', payload });
    expect(response.statusCode).toBe(400);
    expect(response.json().errors).toMatchObject([{ extensions: { code: 'DOCUMENT_TOO_LARGE' } }]);
  });

  it('is refused each time it is sent, by POST, by GET and by its hash, even as a trusted document', async () => {
    const text = `{ ${roots(21)} }`;
    const sha256Hash = createHash('sha256').update(text).digest('hex');
    const folder = await mkdtemp(path.join(tmpdir(), 'manifest-'));
    const manifest = path.join(folder, 'manifest.json');
    await writeFile(manifest, JSON.stringify({ [sha256Hash]: text }));
    const { server } = await start({ PERSISTED_DOCUMENTS: manifest, RESPONSE_CACHE: 'false' });
    await rm(folder, { recursive: true });

    const extensions = { persistedQuery: { version: 1, sha256Hash } };
    const headers = { 'apollo-require-preflight': 'true' };
    const requests = [
      { method: 'POST', payload: { query: text } },
      { method: 'POST', payload: { query: text, extensions } },
      { method: 'POST', payload: { documentId: sha256Hash } },
      { query: { query: text }, headers },
      { query: { extensions: JSON.stringify(extensions) }, headers },
    ] as const;
    for (const request of [...requests, ...requests, ...requests]) {
      const response = await server.inject({ url: '/graphql', ...request });
      expect(response.statusCode).toBe(400);
      expect(response.json().errors).toMatchObject([{ extensions: { code: 'DOCUMENT_TOO_LARGE' } }]);
    }
  });

  it.each([
    ['tokens', `{ ${roots(1000)} }`],
    ['fields at the root', `{ ${roots(21)} }`],
  ])(
    'with too many %s is refused with 400, or with 200 for clients that accept only application/json',
    async (_, query) => {
      const { server } = await start();
      for (const [accept, status] of [
        ['application/json', 200],
        ['application/graphql-response+json', 400],
        ['*/*', 400],
      ] as const) {
        const response = await server.inject({
          method: 'POST',
          url: '/graphql',
          headers: { accept },
          payload: { query },
        });
        expect([response.statusCode, response.json().data]).toEqual([status, undefined]);
      }
    },
  );
});

describe('the errors of a document', () => {
  it('are at most five, and the last one says that there are more', async () => {
    const { query } = await start();
    const { errors } = await query(`{ ${repeat(20, (index) => `zzz${index}`)} }`);
    expect(errors).toMatchObject([
      ...[0, 1, 2, 3].map((index) => ({ message: `Cannot query field "zzz${index}" on type "Query".` })),
      { message: 'Expected at most 5 errors (MAX_VALIDATION_ERRORS), but got more' },
    ]);
    expect(new Set(errors?.map(({ extensions }) => extensions.code))).toEqual(
      new Set(['GRAPHQL_VALIDATION_FAILED']),
    );
    expect((await query('{ a b c d }')).errors).toHaveLength(4);
  });

  it('are limited for its variables too', async () => {
    const { query } = await start({ MAX_VALIDATION_ERRORS: '3' });
    const { errors } = await query('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids: Array.from({ length: 20_000 }, () => 1.5),
    });
    expect(errors).toMatchObject([
      { message: expect.stringMatching(/at "ids\[0\]"/) },
      { message: expect.stringMatching(/at "ids\[1\]"/) },
      {
        message: 'Expected at most 3 errors (MAX_VALIDATION_ERRORS), but got more',
        extensions: { code: 'BAD_USER_INPUT', retryable: false },
      },
    ]);
  });
});

describe('a document that is meant to keep the server busy', () => {
  const KB_100 = 100_000;
  const fill = (text: string): string => text.repeat(Math.floor(KB_100 / text.length));

  it.each<[string, string]>([
    ['nested fields', fill('{a')],
    ['nested fields, with closing braces', `${'{a'.repeat(300)}${'}'.repeat(300)}`],
    ['the same field', `{ trendingVideos { nodes { ${fill('title ')} } } }`],
    ['the same field, 990 times', `{ trendingVideos { nodes { ${'title '.repeat(990)} } } }`],
    ['conflicting fields with the same alias', `{ trendingVideos { ${fill('a: stale a: totalCount ')} } }`],
    ['aliases', `{ ${repeat(7000, (index) => `a${index}: __typename`)} }`],
    ['fragments', `{ ...F0 } ${doublings(2000, '__typename')}`],
    ['fragments that double aliases', `{ ...F0 } ${doublings(80, 'a: __typename')}`],
    ['fragments that double fields', `{ ...F0 } ${doublings(80, '__typename')}`],
    ['fragments that double directives', `{ ...F0 } ${doublings(80, '... @skip(if: true) { __typename }')}`],
    [
      'fragments that spread each other',
      `{ ...F0 } ${repeat(100, (index) => `fragment F${index} on Query { ...F${(index + 1) % 100} }`)}`,
    ],
    ['nested lists', `{ nodes(ids: ${'['.repeat(10_000)}${']'.repeat(10_000)}) { id } }`],
    ['nested objects', `{ nodes(ids: ${'{a:'.repeat(10_000)}1${'}'.repeat(10_000)}) { id } }`],
    ['a long name', `{ ${fill('a')} }`],
    ['a long value that resembles a known one', `{ trendingVideos(orderBy: ${fill('VIEWS')}) { stale } }`],
    [
      'a long value that resembles hints',
      `{ trendingVideos(orderBy: "${fill('Did you mean ')}") { stale } }`,
    ],
    ['wrong names', `{ ${repeat(900, (index) => `trendingVideo${index}`)} }`],
    ['wrong arguments', `{ trendingVideos(${repeat(300, (index) => `firs${index}: 1`)}) { stale } }`],
    ['variables', `query (${repeat(250, (index) => `$v${index}: Int`)}) { __typename }`],
    ['an unterminated string', `{ trendingVideo(itemId: "${fill('x')}`],
  ])('is refused, and costs nothing: %s', async (_, query) => {
    // With a larger limit for bodies, so that the document is parsed.
    const { server, bill } = await start({ MAX_BODY_KB: '200' });
    const response = await server.inject({ method: 'POST', url: '/graphql', payload: { query } });
    expect(response.statusCode).toBe(400);
    expect(response.json().errors.length).toBeLessThanOrEqual(5);
    expect(bill).toEqual([]);
  });

  it.each([
    ['beyond the limits, no other rule visits it', `{ ${'__typename '.repeat(21)} }`, 0],
    ['within the limits, every rule does', `{ ${'__typename '.repeat(20)} }`, 20],
  ])('is validated only if it is small: %s', (_, text, count) => {
    let visits = 0;
    const counting: ValidationRule = () => ({ Field: () => void visits++ });
    const { documentLimits } = loadConfig({});
    const rules = [...specifiedRules, counting, createDocumentLimitsRule(documentLimits)];
    expect(validate(createSchema(), parse(text), rules)).toHaveLength(count === 0 ? 1 : 0);
    expect(visits).toBe(count);
  });

  it.each<[string, string]>([
    ['nested fields', `${'{a'.repeat(1650)}${'}'.repeat(1650)}`],
    [
      'nested fragments',
      `{ ...F0 } ${repeat(620, (index) => `fragment F${index} on Query { ...F${index + 1} }`)}`,
    ],
    ['nested lists', `{ nodes(ids: ${'['.repeat(2450)}${']'.repeat(2450)}) { id } }`],
    ['nested objects', `{ nodes(ids: ${'{a:'.repeat(1200)}1${'}'.repeat(1200)}) { id } }`],
    [
      'nested list types',
      `query ($v: ${'['.repeat(2450)}Int${']'.repeat(2450)}) { trendingVideos(first: $v) { stale } }`,
    ],
  ])('is refused even when all limits are at their maximum: %s', async (_, query) => {
    const names = ['TOKENS', 'DEPTH', 'ALIASES'].map((name) => `MAX_DOCUMENT_${name}`);
    const limits = [...names, 'MAX_ROOT_FIELDS', 'MAX_DIRECTIVES'].map((name) => [name, '5000']);
    const { server } = await start(Object.fromEntries(limits));
    const response = await server.inject({ method: 'POST', url: '/graphql', payload: { query } });
    expect(response.statusCode).toBe(400);
    expect(response.body).not.toContain('INTERNAL_SERVER_ERROR');
  });

  it('cannot nest introspection without end, although the depth limit does not apply to it', async () => {
    const { query } = await start();
    const { errors } = await query(
      `{ __schema { types { ${'fields { type { '.repeat(30)} name ${'} }'.repeat(30)} } } }`,
    );
    expect(errors).toMatchObject([{ message: 'Maximum introspection depth exceeded' }]);
  });
});
