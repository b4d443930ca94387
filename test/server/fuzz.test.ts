import { readFileSync } from 'node:fs';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import {
  buildSchema,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLOutputType,
  getNamedType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';
import { fc } from '../support/fastCheck.ts';

/** Multiplies how often each property is tried; `FUZZ_RUNS=20` takes a night. */
const TIMES = Number(process.env.FUZZ_RUNS ?? 1);
const TIMEOUT_MS = 120_000 * TIMES;
const JSON_TYPE = { 'content-type': 'application/json' };
const PREFLIGHT = { 'apollo-require-preflight': 'true' };
const SCHEMA = buildSchema(`${readFileSync('schema/schema.graphql', 'utf8')}
  scalar _Any
  union _Entity = TrendingVideo
  type _Service { sdl: String }
  extend type Query { _entities(representations: [_Any!]!): [_Entity]! _service: _Service! }`);

interface Body {
  readonly data?: Record<string, unknown> | null;
  readonly errors?: { readonly message: string; readonly extensions: { readonly code: string } }[];
  readonly extensions?: { readonly upstream: { readonly requests: number } };
}

/** A response, and what it cost. */
interface Outcome {
  readonly status: number;
  /** Undefined when there is none, or when it is not JSON. */
  readonly body: Body | undefined;
  /** Requests to upstream. */
  readonly bought: number;
  /** Those that the response must report: none where caches may send it to other clients. */
  readonly reported: number;
}

let app: EmulatedApp;
/** Taken from responses of the server, so that their form is valid. */
const cursors: string[] = [];
const globalIds: string[] = [];
const itemIds: string[] = [];

async function start(variables: Record<string, string>): Promise<void> {
  const settings = { KEYAPI_QPS: '10000', ...variables };
  // Apollo Server executes a document first, then the fast path: prepared from its third execution there on.
  app = await startEmulatedApp({}, settings, { prepareFrom: 3 });
  for (const args of ['first: 30', 'last: 5', 'region: "DE", orderBy: LIKES']) {
    const { data } = await app.query<{
      trendingVideos: { edges: { cursor: string; node: { id: string; itemId: string } }[] };
    }>(`{ trendingVideos(${args}) { edges { cursor node { id itemId } } } }`);
    for (const { cursor, node } of data?.trendingVideos.edges ?? []) {
      cursors.push(cursor);
      globalIds.push(node.id);
      itemIds.push(node.itemId);
    }
  }
}

/** Sends a request, and asserts what is true of every response. */
async function send(request: InjectOptions): Promise<Outcome> {
  const before = app.bill.length;
  const response = await app.server.inject({ url: '/graphql', ...request });
  // A request to upstream that the response did not wait for would reach the emulator now.
  await new Promise((resolve) => setImmediate(resolve));
  const bought = app.bill.length - before;
  app.claimedElsewhere += bought;
  const { statusCode: status, headers } = response;
  const isReplayed = request.method !== 'POST' && /^public/.test(String(headers['cache-control']));
  const reported = isReplayed ? 0 : bought;
  if (isReplayed) expect(headers).not.toHaveProperty('x-request-id');
  expect(status).toBeLessThan(500);
  expect(status >= 200 && status < 300).toBe(status === 200 || status === 204);
  if (status >= 400) expect(bought).toBe(0);
  // It gets the headers of a response, without its body.
  const isHead = request.method === 'HEAD';
  if (isHead) expect(response.rawPayload).toHaveLength(0);
  const text = isHead ? '' : decode(response.rawPayload, headers['content-encoding']);
  // The metrics say that there was none.
  expect(text.replace('{code="INTERNAL_SERVER_ERROR"} 0', '')).not.toContain('INTERNAL_SERVER_ERROR');
  const isJson = /^application\/(graphql-response\+)?json\b/.test(String(headers['content-type']));
  if (!isJson || text === '') return { status, body: undefined, bought, reported };
  const body: Body = JSON.parse(text);
  if (body.extensions) {
    expect(body.extensions.upstream.requests).toBe(reported);
    expect(Object.keys(body).every((key) => ['data', 'errors', 'extensions'].includes(key))).toBe(true);
    expect(body.errors === undefined || body.errors.length > 0).toBe(true);
    expect(body.errors !== undefined || body.data !== undefined).toBe(true);
    // A refused operation must cost nothing.
    if (body.data === undefined) expect(bought).toBe(0);
    else expect(status).toBe(200);
  }
  return { status, body, bought, reported };
}

function decode(payload: Buffer, encoding: unknown): string {
  if (encoding === 'br') return brotliDecompressSync(payload).toString();
  if (encoding === 'gzip') return gunzipSync(payload).toString();
  if (encoding === 'deflate') return inflateSync(payload).toString();
  expect(encoding).toBeUndefined();
  return payload.toString();
}

/** As `send`, for GET and POST to `/graphql`: the response must be a GraphQL response. */
async function sendGraphql(request: InjectOptions): Promise<Outcome> {
  const outcome = await send(request);
  if (outcome.status === 304) return outcome;
  expect(outcome.body).toMatchObject({ extensions: { upstream: { requests: outcome.reported } } });
  return outcome;
}

async function check<T>(runs: number, values: fc.Arbitrary<T>, property: (value: T) => Promise<void>) {
  await fc.assert(fc.asyncProperty(values, property), { numRuns: Math.ceil(runs * TIMES) });
}

// Values

const NAMES = ['__proto__', 'constructor', 'toString', 'a', '_', 'é', ''];
const ODD_STRINGS = [
  '\ud800',
  '\udc00\ud800',
  '\0',
  '\u{10ffff}',
  '__proto__',
  'constructor',
  '',
  'ZZ',
  '\u202e',
];
const oddString = fc.oneof(fc.constantFrom(...ODD_STRINGS), fc.string({ unit: 'binary', maxLength: 20 }));
const oddNumber = fc.oneof(
  fc.constantFrom(-1, 101, 1e9, 2 ** 31, 2 ** 53, 1e300, -0, 0.5),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false, [], {}, [[]]),
  oddNumber,
  oddString,
  fc.array(oddString, { maxLength: 3 }),
  fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.jsonValue()), { maxLength: 3 }).map(toObject),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Makes all names own keys, even those that every object inherits. */
function toObject(entries: readonly (readonly [string, unknown])[]): unknown {
  return Object.fromEntries(entries);
}

/** One of a list that is filled when the tests start. */
function oneOf(list: readonly string[]): fc.Arbitrary<string> {
  return fc.nat().map((index) => list[index % list.length] ?? '');
}

/** One of `texts` with a character changed, removed, inserted or appended, or the rest cut off or in another case. */
function mutated(texts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const character = fc.oneof(
    fc.constantFrom(...'AZaz09-_=+/ |:{}()$@!.,"\\\n'),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
  );
  const kind = fc.constantFrom('flip', 'drop', 'insert', 'truncate', 'extend', 'swapCase');
  return fc.tuple(texts, kind, fc.nat(), character).map(([text, how, position, by]) => {
    const at = position % (text.length + 1);
    const [head, rest] = [text.slice(0, at), text.slice(at)];
    if (how === 'flip') return head + by + rest.slice(1);
    if (how === 'drop') return head + rest.slice(1);
    if (how === 'insert') return head + by + rest;
    if (how === 'truncate') return head;
    if (how === 'extend') return text + by;
    return head + rest.slice(0, 1).toUpperCase() + rest.slice(1).toLowerCase();
  });
}

/** A cursor in the right form, but with any version, chart, rank and video. */
const forgedCursor = fc
  .tuple(
    fc.constantFrom('1', '0', '2', ''),
    fc.constantFrom('US:7:VIEWS', 'DE:7:LIKES', 'US:30:VIEWS', 'ZZ:7:VIEWS', '__proto__'),
    fc.oneof(fc.integer({ min: -2, max: 1_000_001 }).map(String), fc.constantFrom('', '01', '1e2', '５')),
    fc.oneof(oneOf(itemIds), fc.bigInt({ min: 0n, max: 10n ** 20n }).map(String), oddString),
  )
  .map((parts) => Buffer.from(parts.join('|')).toString('base64url'));
const forgedId = fc
  .tuple(fc.constantFrom('TrendingVideo', 'Creator', '__proto__', ''), fc.oneof(oneOf(itemIds), oddString))
  .map((parts) => Buffer.from(parts.join(':')).toString('base64url'));

const cursor = fc.oneof(
  { weight: 4, arbitrary: oneOf(cursors) },
  { weight: 2, arbitrary: mutated(oneOf(cursors)) },
  forgedCursor,
  oddString,
);
const globalId = fc.oneof(
  { weight: 4, arbitrary: oneOf(globalIds) },
  mutated(oneOf(globalIds)),
  forgedId,
  oddString,
);
const itemId = fc.oneof({ weight: 4, arbitrary: oneOf(itemIds) }, mutated(oneOf(itemIds)), oddString);
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 45 }) },
  fc.integer({ min: 46, max: 101 }),
  oddNumber,
);
const region = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('US', 'us', 'DE', 'FR', 'jp', 'BR', 'GB', 'IN', 'KR') },
  oddString,
);
const period = fc.constantFrom('LAST_7_DAYS', 'LAST_30_DAYS', 'LAST_120_DAYS');
const order = fc.constantFrom('VIEWS', 'LIKES', 'COMMENTS', 'REPOSTS');
const representation = fc.oneof(
  itemId.map((key): unknown => ({ __typename: 'TrendingVideo', itemId: key })),
  globalId.map((key): unknown => ({ __typename: 'TrendingVideo', id: key })),
  oddValue,
);

interface Kind {
  readonly type: string;
  readonly values: fc.Arbitrary<unknown>;
  /** Enum values have no quotes in a document. */
  readonly isEnum?: boolean;
}

/** By the name of an argument; its variable has the same name. */
const KINDS: Record<string, Kind> = {
  region: { type: 'CountryCode!', values: region },
  period: { type: 'TrendingPeriod!', values: period, isEnum: true },
  orderBy: { type: 'TrendingOrder!', values: order, isEnum: true },
  first: { type: 'Int', values: size },
  after: { type: 'String', values: cursor },
  last: { type: 'Int', values: size },
  before: { type: 'String', values: cursor },
  itemId: { type: 'ID!', values: itemId },
  itemIds: { type: '[ID!]!', values: fc.array(itemId, { maxLength: 5 }) },
  id: { type: 'ID!', values: globalId },
  ids: {
    type: '[ID!]!',
    values: fc.oneof(
      { weight: 9, arbitrary: fc.array(globalId, { maxLength: 5 }) },
      fc.array(fc.constant('x'), { minLength: 101, maxLength: 102 }),
    ),
  },
  representations: { type: '[_Any!]!', values: fc.array(representation, { maxLength: 4 }) },
  yes: { type: 'Boolean!', values: fc.boolean() },
};
/** Values of all variables; sometimes one is missing, unknown or of another type. */
const variables = fc
  .tuple(
    fc.record(
      Object.fromEntries(
        Object.entries(KINDS).map(([name, { values }]) => [
          name,
          fc.oneof({ weight: 30, arbitrary: values }, oddValue),
        ]),
      ),
    ),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant([]) },
      fc.array(fc.tuple(fc.constantFrom(...NAMES), oddValue), { maxLength: 2 }),
    ),
    fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, fc.constantFrom(...Object.keys(KINDS))),
  )
  .map(([right, more, missing]) =>
    toObject([...Object.entries(right).filter(([name]) => name !== missing), ...more]),
  );

// Documents

/** A value as it is written in a document. */
function toLiteral(value: unknown, isEnum = false): string {
  if (isEnum && typeof value === 'string') return value;
  if (Array.isArray(value)) return `[${value.map((entry) => toLiteral(entry)).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([name, entry]) => `${name}: ${toLiteral(entry)}`);
    return `{${fields.join(', ')}}`;
  }
  return JSON.stringify(value);
}

function argument({ name }: GraphQLArgument): fc.Arbitrary<string> {
  const { values, isEnum } = KINDS[name] ?? { values: oddValue };
  return fc.oneof(
    { weight: 10, arbitrary: values.map((value) => `${name}: ${toLiteral(value, isEnum)}`) },
    { weight: 10, arbitrary: fc.constant(`${name}: $${name}`) },
    { weight: 1, arbitrary: oddValue.map((value) => `${name}: ${toLiteral(value)}`) },
  );
}

function argumentsOf(all: readonly GraphQLArgument[]): fc.Arbitrary<string> {
  if (all.length === 0) return fc.constant('');
  const chosen = fc.tuple(
    ...all.map((one) => {
      const isRequired = String(one.type).endsWith('!') && one.defaultValue === undefined;
      // Few combinations of these are valid.
      const weight = isRequired ? 100 : ['after', 'before', 'last'].includes(one.name) ? 1 : 4;
      return fc.oneof({ weight, arbitrary: argument(one) }, { weight: 4, arbitrary: fc.constant('') });
    }),
  );
  return chosen.map((texts) => {
    const given = texts.filter((text) => text !== '');
    return given.length === 0 ? '' : `(${given.join(', ')})`;
  });
}

const directive = fc.oneof(
  { weight: 40, arbitrary: fc.constant('') },
  fc.constantFrom(
    ' @include(if: $yes)',
    ' @skip(if: $yes)',
    ' @skip(if: false)',
    ' @none',
    ' @skip',
    ' @defer',
  ),
);

function field(one: GraphQLField<unknown, unknown>, depth: number): fc.Arbitrary<string> {
  const alias =
    one.args.length > 0
      ? fc.oneof({ weight: 9, arbitrary: fc.nat(9999).map((index) => `a${index}: `) }, fc.constant(''))
      : fc.constant('');
  return fc
    .tuple(alias, argumentsOf(one.args), directive, selection(one.type, depth))
    .map(([as, args, directives, rest]) => `${as}${one.name}${args}${directives}${rest}`);
}

/** A selection set of a type, with its braces; empty for a scalar. */
function selection(output: GraphQLOutputType, depth: number): fc.Arbitrary<string> {
  const type = getNamedType(output);
  if (type.name === '_Entity') return fc.constant(' { __typename ...Video }');
  if (!isObjectType(type) && !isInterfaceType(type)) return fc.constant('');
  if (depth === 0) return fc.constant(' { __typename }');
  const fields = Object.values(type.getFields()).map((one) => ({
    weight: one.name === 'trendingVideos' ? 6 : 1,
    arbitrary: field(one, depth - 1),
  }));
  const others = ['__typename', '... { __typename }', `... on ${type.name} { __typename }`];
  if (type.name === 'Node' || type.name === 'TrendingVideo')
    others.push('...Video', '... on TrendingVideo { itemId }');
  if (type.name === 'Query') others.push('__type(name: "TrendingVideo") { name }', 'none');
  const some = fc.array(fc.oneof({ weight: 8, arbitrary: fc.oneof(...fields) }, fc.constantFrom(...others)), {
    minLength: 1,
    maxLength: 4,
  });
  return some.map((texts) => ` { ${texts.join(' ')} }`);
}

const queryType = SCHEMA.getQueryType();
if (!queryType) throw new Error('The schema has no queries');

const VIDEO = ' fragment Video on TrendingVideo { id title creator { handle } }';
/** Documents, most of which are valid. */
const document = fc
  .tuple(
    selection(queryType, 4),
    fc.oneof({ weight: 30, arbitrary: fc.constant('query') }, fc.constantFrom('mutation', 'subscription')),
    fc.oneof(
      { weight: 9, arbitrary: fc.constant('') },
      fc.constantFrom(' query Other { __typename }', VIDEO, ' #'),
    ),
  )
  .map(([fields, operation, more]) => {
    const used = Object.entries(KINDS).filter(([name]) => new RegExp(`\\$${name}\\b`).test(fields));
    const defined = used.map(([name, { type }]) => `$${name}: ${type}`).join(', ');
    const fragment = fields.includes('...Video') ? VIDEO : '';
    return `${operation} Fuzz${defined && `(${defined})`}${fields}${fragment}${more}`;
  });
const anyDocument = fc.oneof({ weight: 12, arbitrary: document }, mutated(document));

// Requests

/** The characters that Node allows in a header's value: all of Latin-1 except control characters. */
const latin1 = fc.oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }));
const oddHeader = fc
  .array(latin1, { maxLength: 40 })
  .map((codes) => String.fromCharCode(...codes).replace(/^ +| +$/g, ''));

/** A header that is present only sometimes. */
function header(...values: string[]): fc.Arbitrary<string | undefined> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: fc.constantFrom(...values) },
    oddHeader,
  );
}

const HEADERS = {
  accept: header(
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json;q=0.5, application/json',
    'image/png',
    'application/json;q=0',
    ',;=',
    'multipart/mixed',
  ),
  'accept-encoding': header('br', 'gzip', 'deflate', 'identity', '*;q=0', 'gzip;q=x', 'br, gzip'),
  'if-none-match': header('*', 'W/"x"', '"', ''),
  'cache-control': header('no-cache', 'no-store', 'max-age=0', 'only-if-cached'),
  origin: header('https://studio.apollographql.com', 'null', 'https://evil.example'),
  authorization: header('Bearer x', 'Basic', ''),
  'x-api-key': header('x', ''),
  'apollographql-client-name': header('board', '{}', 'x'.repeat(500)),
  'apollographql-client-version': header('1.0'),
  traceparent: header('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x'),
  'x-request-id': header('abc', '\u00e9', 'x'.repeat(500)),
  'x-forwarded-for': header('1.2.3.4', ',,', '::', 'x'),
};
const headers = fc.record(HEADERS).map(withoutUndefined);
const contentType = fc.oneof(
  { weight: 20, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json; charset=utf-16',
    'text/plain',
    'application/graphql',
    '',
    ';',
    'multipart/form-data; boundary=x',
  ),
);
const preflight = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Record<string, string>>(PREFLIGHT) },
  fc.constantFrom<Record<string, string>>(
    {},
    { 'x-apollo-operation-name': 'Fuzz' },
    { 'apollo-require-preflight': '' },
  ),
);
const operationName = fc.oneof({ weight: 20, arbitrary: fc.constantFrom(undefined, 'Fuzz') }, oddValue);
const extensions = fc.oneof(
  { weight: 20, arbitrary: fc.constant(undefined) },
  oddValue.map((persistedQuery): unknown => ({ persistedQuery })),
  oddValue,
);

function withoutUndefined(values: Record<string, string | undefined>): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) given[name] = value;
  return given;
}

const parameters = fc.record({ query: anyDocument, variables, operationName, extensions });
const posted = fc
  .tuple(
    parameters,
    headers,
    contentType,
    fc.oneof(
      { weight: 20, arbitrary: fc.constant({}) },
      fc.constantFrom({ 'content-encoding': 'gzip' }, { 'content-encoding': 'identity' }),
    ),
  )
  .map(
    ([body, some, type, encoding]): InjectOptions => ({
      method: 'POST',
      headers: { ...some, ...encoding, 'content-type': type },
      payload: JSON.stringify(body),
    }),
  );
const got = fc.tuple(parameters, headers, preflight).map(([body, some, needed]): InjectOptions => {
  const sent: Record<string, string> = { query: body.query, variables: JSON.stringify(body.variables) };
  if (typeof body.operationName === 'string') sent.operationName = body.operationName;
  if (body.extensions !== undefined) sent.extensions = JSON.stringify(body.extensions);
  return { url: `/graphql?${new URLSearchParams(sent)}`, headers: { ...some, ...needed } };
});

describe.each([
  ['with', 'true'],
  ['without', 'false'],
])('random operations, %s the response cache', (_, responseCache) => {
  beforeAll(() => start({ RESPONSE_CACHE: responseCache }));
  afterAll(() => app.close());

  it(
    'get the same result however they are executed, at the cost that it reports',
    async () => {
      const seen = { data: 0, refused: 0, paid: 0 };
      const sent = new Set<string>();
      await check(250, fc.oneof({ weight: 2, arbitrary: posted }, got), async (request) => {
        for (const name of Object.keys(request.headers ?? {})) sent.add(name);
        const { body, bought } = await sendGraphql(request);
        seen[body?.data ? 'data' : 'refused']++;
        if (bought > 0) seen.paid++;
        const second = await sendGraphql(request);
        const third = await sendGraphql(request);
        const prepared = await sendGraphql(request);
        expect(second.bought + third.bought + prepared.bought).toBe(0);
        for (const later of [third, prepared]) {
          expect(later.status).toBe(second.status);
          expect(later.body?.data).toEqual(second.body?.data);
          expect(later.body?.errors).toEqual(second.body?.errors);
        }
      });
      // Otherwise the test has tried too little.
      expect(Math.min(seen.data, seen.refused)).toBeGreaterThan(25 * TIMES);
      expect(seen.paid).toBeGreaterThan(2 * TIMES);
      expect([...sent]).toEqual(expect.arrayContaining(Object.keys(HEADERS)));
    },
    TIMEOUT_MS,
  );
});

describe('random input', () => {
  beforeAll(() => start({}));
  afterAll(() => app.close());

  const TOKENS = [
    '{',
    '}',
    '(',
    ')',
    '[',
    ']',
    ':',
    '=',
    '!',
    '|',
    '&',
    '@',
    '$',
    '...',
    '"',
    '"""',
    '#',
    '\n',
    ',',
    '\\u{0}',
    '1e9',
    '-',
    '0',
    'query',
    'mutation',
    'fragment',
    'on',
    'null',
    'true',
    'type',
    'Query',
    'trendingVideos',
    'nodes',
    'id',
    '__typename',
    '__schema',
    '__proto__',
    '\ud800',
    '\ufeff',
  ];
  const soup = fc.array(fc.constantFrom(...TOKENS), { maxLength: 40 });
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    soup.map((tokens) => tokens.join('')),
    soup.map((tokens) => tokens.join(' ')),
    mutated(mutated(document)),
  );
  const operation = parameters.map((body) => JSON.stringify(body));

  it(
    'gets a GraphQL response when it is sent as a document',
    async () => {
      await check(600, fc.tuple(text, variables), async ([query, values]) => {
        await sendGraphql({
          method: 'POST',
          headers: JSON_TYPE,
          payload: JSON.stringify({ query, variables: values }),
        });
        await sendGraphql({ url: `/graphql?${new URLSearchParams({ query })}`, headers: PREFLIGHT });
      });
    },
    TIMEOUT_MS,
  );

  it(
    'gets a GraphQL response when it is sent as a body',
    async () => {
      const bytes = fc.uint8Array({ maxLength: 300 }).map((some) => Buffer.from(some));
      const truncated = fc.tuple(operation, fc.nat(), bytes).map(([json, at, some]) => {
        const whole = Buffer.from(json);
        return Buffer.concat([whole.subarray(0, at % whole.length), some]);
      });
      const json = fc.oneof(fc.json(), mutated(operation), operation).map((some) => Buffer.from(some));
      await check(
        1000,
        fc.tuple(fc.oneof(bytes, truncated, json), contentType, headers),
        async ([payload, type, some]) => {
          await sendGraphql({ method: 'POST', headers: { ...some, 'content-type': type }, payload });
        },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'gets a GraphQL response when it is sent as a query string',
    async () => {
      const encoded = fc.oneof(fc.webQueryParameters(), text.map(toUrl), operation.map(toUrl));
      const name = fc.oneof(
        fc.constantFrom(
          'query',
          'variables',
          'extensions',
          'operationName',
          'documentId',
          '__proto__',
          'query[]',
          'query[a]',
          '%',
          '%71uery',
        ),
        fc.webQueryParameters(),
      );
      const pairs = fc.array(
        fc.tuple(name, encoded).map((pair) => pair.join('=')),
        { maxLength: 4 },
      );
      await check(1000, fc.tuple(pairs, preflight, headers), async ([parts, needed, some]) => {
        await sendGraphql({ url: `/graphql?${parts.join('&')}`, headers: { ...some, ...needed } });
      });
    },
    TIMEOUT_MS,
  );

  it(
    'gets a response without a 5xx when it is sent as a method and a path',
    async () => {
      const method = fc.constantFrom<NonNullable<InjectOptions['method']>>(
        'GET',
        'HEAD',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
        'MKCOL',
        'SEARCH',
      );
      const path = fc.oneof(
        fc.constantFrom(
          '/graphql',
          '/graphql/',
          '/GraphQL',
          '/%67raphql',
          '/graphql%00',
          '/graphql%',
          '/graphql;a',
          '/livez',
          '/readyz',
          '/metrics',
          '/',
          '/*',
          '/.env',
          '/graphql/../livez',
        ),
        fc.webPath().map((some) => `/${some.replace(/^\/+/, '')}`),
        mutated(fc.constant('graphql')).map((some) => `/${toUrl(some)}`),
      );
      const search = fc.oneof(
        fc.constant(''),
        operation.map((some) => `?query=${toUrl(some)}`),
        document.map((some) => `?query=${toUrl(some)}`),
      );
      const body = fc.option(operation, { nil: undefined });
      await check(
        1000,
        fc.tuple(method, path, search, body, headers),
        async ([verb, where, query, payload, some]) => {
          const { status, bought } = await send({
            method: verb,
            url: where + query,
            headers: { ...some, ...(payload !== undefined && JSON_TYPE), ...(verb === 'HEAD' && PREFLIGHT) },
            ...(payload !== undefined && { payload }),
          });
          const canBuy = status === 200 && ['GET', 'HEAD', 'POST'].includes(verb);
          if (!canBuy && status !== 304) expect(bought).toBe(0);
        },
      );
    },
    TIMEOUT_MS,
  );

  function toUrl(some: string): string {
    return encodeURIComponent(some.toWellFormed());
  }
});

describe('cursors and ids that were tampered with', () => {
  beforeAll(() => start({}));
  afterAll(() => app.close());

  async function query(document: string, values: object): Promise<Outcome> {
    const payload = { query: document, variables: values };
    return sendGraphql({ method: 'POST', headers: JSON_TYPE, payload });
  }

  it.each([
    ['after', 'first'],
    ['before', 'last'],
  ])(
    'result in a window, or in BAD_USER_INPUT at no cost: %s',
    async (at, count) => {
      const document = `query ($cursor: String, $count: Int) {
      trendingVideos(${at}: $cursor, ${count}: $count) { edges { cursor rank } }
    }`;
      const tampered = fc.oneof(
        mutated(oneOf(cursors)),
        mutated(mutated(oneOf(cursors))),
        forgedCursor,
        oddString,
      );
      await check(500, fc.tuple(tampered, fc.integer({ min: 0, max: 100 })), async ([cursor, count]) => {
        const { body, bought } = await query(document, { cursor, count });
        if (body?.errors) {
          expect(body.errors.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT']);
          expect(bought).toBe(0);
          return;
        }
        const { edges } = (body?.data?.trendingVideos ?? {}) as { edges: { rank: number }[] };
        expect(edges.length).toBeLessThanOrEqual(count);
        expect(edges.map(({ rank }) => rank)).toEqual(edges.map((_, index) => (edges[0]?.rank ?? 0) + index));
      });
    },
    TIMEOUT_MS,
  );

  it(
    'result in null, or in the video with exactly this id, at no cost',
    async () => {
      const document = `query ($id: ID!, $key: ID!, $some: [_Any!]!) {
      node(id: $id) { id }
      nodes(ids: [$id]) { id }
      trendingVideo(itemId: $key) { itemId }
      trendingVideosByItemId(itemIds: [$key]) { itemId }
      _entities(representations: $some) { ... on TrendingVideo { id } }
    }`;
      const tampered = fc.oneof(
        mutated(oneOf(globalIds)),
        mutated(mutated(oneOf(globalIds))),
        forgedId,
        oddString,
      );
      const keys = fc.oneof(mutated(oneOf(itemIds)), oddString);
      await check(700, fc.tuple(tampered, keys), async ([id, key]) => {
        const some = [{ __typename: 'TrendingVideo', id }];
        const { body, bought } = await query(document, { id, key, some });
        expect(bought).toBe(0);
        expect(body?.errors).toBeUndefined();
        const node = globalIds.includes(id) ? { id } : null;
        const video = itemIds.includes(key) ? { itemId: key } : null;
        expect(body?.data).toEqual({
          node,
          nodes: [node],
          trendingVideo: video,
          trendingVideosByItemId: [video],
          _entities: [node],
        });
      });
    },
    TIMEOUT_MS,
  );
});
