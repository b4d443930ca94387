import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const PREFLIGHT = { 'apollo-require-preflight': 'true' };
const DEEP_LIST = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
const DEEP_OBJECT = `${'{"a":'.repeat(16_000)}1${'}'.repeat(16_000)}`;
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'];

let app: EmulatedApp;

beforeAll(async () => {
  app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { prepareFrom: 2 });
});

afterAll(() => app.close());

/** Sends a request four times, so that each way to execute it is used; returns the last status. */
async function send(request: InjectOptions): Promise<number> {
  let status = 0;
  for (let time = 0; time < 4; time++) {
    const response = await app.server.inject({ url: '/graphql', ...request });
    status = response.statusCode;
    expect(status).toBeLessThan(500);
    expect(response.body).not.toContain('INTERNAL_SERVER_ERROR');
  }
  expect(app.bill).toEqual([]);
  return status;
}

const post = (payload: string | Buffer): Promise<number> =>
  send({ method: 'POST', headers: JSON_TYPE, payload });

/** Requests with a JSON value in each place that takes one; none of them costs credits. */
function requestsWith(value: string): string[] {
  const withVariable = (type: string, selection: string, sent = value): string =>
    `{"query":"query ($v: ${type}) { ${selection} { __typename } }","variables":{"v":${sent}}}`;
  return [
    withVariable('Int', 'trendingVideos(first: $v)'),
    withVariable('String', 'trendingVideos(after: $v)'),
    withVariable('CountryCode!', 'trendingVideos(region: $v)'),
    withVariable('TrendingOrder!', 'trendingVideos(orderBy: $v)'),
    withVariable('ID!', 'trendingVideo(itemId: $v)'),
    withVariable('ID!', 'node(id: $v)'),
    withVariable('[ID!]!', 'nodes(ids: $v)'),
    withVariable('[_Any!]!', '_entities(representations: $v)', `[${value}]`),
    withVariable(
      '[_Any!]!',
      '_entities(representations: $v)',
      `[{"__typename":"TrendingVideo","itemId":${value}}]`,
    ),
    `{"query":"{ __typename }","variables":${value}}`,
    `{"query":"{ __typename }","variables":{"none":${value}}}`,
    `{"query":"{ __typename }","operationName":${value}}`,
    `{"query":"{ __typename }","extensions":${value}}`,
    `{"query":"{ __typename }","extensions":{"persistedQuery":${value}}}`,
    `{"query":"{ __typename }","extensions":{"persistedQuery":{"version":1,"sha256Hash":${value}}}}`,
    `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":${value}}}}`,
    `{"documentId":${value}}`,
    `{"query":${value}}`,
    value,
  ];
}

describe('odd input', () => {
  it.each([
    ['1e400', '1e400'],
    ['2^64', '18446744073709551616'],
    ['-2^63', '-9223372036854775808'],
    ['a fraction', '1.5'],
    ['a lone surrogate', '"\\ud800"'],
    ['surrogates in the wrong order', '"\\udc00\\ud800"'],
    ['NUL', '"\\u0000"'],
    ['the name of an inherited property', '"__proto__"'],
    ['an object with such names as keys', '{"constructor":1,"toString":{"__proto":1}}'],
    ['true', 'true'],
    ['null', 'null'],
    ['a list', '[[]]'],
    ['deeply nested lists', DEEP_LIST],
    ['deeply nested objects', DEEP_OBJECT],
  ])('causes no 5xx and no cost: %s in any place', async (_, value) => {
    for (const request of requestsWith(value)) await post(request);
  });

  it.each([
    ['first: 1e400', 400],
    ['first: 18446744073709551616', 400],
    ['first: 1.5', 400],
    ['after: "\\u0000"', 200],
    ['after: "\\ud800"', 400],
    ['after: "\\u{10ffff}"', 200],
    ['after: "\0"', 200],
    ['region: "__proto__"', 200],
    ['orderBy: __proto__', 400],
    ['__proto__: 1', 400],
    ['first: $__proto__', 400],
  ])('causes no 5xx and no cost: %j as an argument', async (argument, status) => {
    const query = `{ trendingVideos(${argument}) { __typename } }`;
    expect(await post(JSON.stringify({ query }))).toBe(status);
  });

  it.each(NAMES)('is treated as any other name: %s', async (name) => {
    const postQuery = (query: string, others: object = {}): Promise<number> =>
      post(JSON.stringify({ query, ...others }));
    expect(await postQuery(`{ ${name}: __typename trendingVideos { ${name}: __typename } }`)).toBe(200);
    expect(await postQuery(`query ${name} { __typename }`, { operationName: name })).toBe(200);
    expect(await postQuery('query A { __typename } query B { __typename }', { operationName: name })).toBe(
      400,
    );
    expect(await postQuery(`{ ...${name} } fragment ${name} on Query { __typename }`)).toBe(200);
    expect(await postQuery(`query ($${name}: Int) { trendingVideos(first: $${name}) { __typename } }`)).toBe(
      200,
    );
    expect(await postQuery(`{ ...${name} }`)).toBe(400);
    expect(await postQuery(`{ ${name} }`)).toBe(400);
    expect(await postQuery(`{ ... on ${name} { id } }`)).toBe(400);
    expect(await postQuery(`{ __typename @${name} }`)).toBe(400);
    expect(await postQuery(`{ trendingVideos(${name}: 1) { __typename } }`)).toBe(400);
    await send({ query: { query: '{ __typename }', [name]: '1' }, headers: PREFLIGHT });
  });

  it.each([
    ['a body with a __proto__ key', '{"__proto__":{"query":"{ __typename }"}}'],
    ['a body with an escaped __proto__ key', '{"\\u005f\\u005fproto__":{},"query":"{ __typename }"}'],
    ['a body with a constructor', '{"constructor":{"prototype":{}},"query":"{ __typename }"}'],
    ['variables with a __proto__ key', '{"query":"{ __typename }","variables":{"__proto__":{"a":1}}}'],
    ['a body of opening brackets', '['.repeat(100_000)],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0xc0, 0x80, 0x7d])],
    ['a name that is not UTF-8', Buffer.from('{"query":"{ \xe9t\xe9 }"}', 'latin1')],
    ['NUL before the body', Buffer.from('\0{"query":"{ __typename }"}')],
    ['NUL in the document', JSON.stringify({ query: '{ \0 __typename }' })],
    ['UTF-16', Buffer.from('{"query":"{ __typename }"}', 'utf16le')],
  ])('is a 400: %s', async (_, body) => {
    expect(await post(body)).toBe(400);
  });

  it.each([
    '/graphql?query=%ED%A0%80',
    '/graphql?query=%',
    '/graphql?query=%00',
    '/graphql?query={__typename}&query={__typename}',
    '/graphql?query={__typename}&variables={',
    '/graphql?query={__typename}&variables=1e400',
    `/graphql?query={__typename}&variables=${'['.repeat(100)}`,
    '/graphql?query={__typename}&extensions=null',
    '/graphql?extensions={"persistedQuery":{"version":2}}',
    '/graphql?%65xtensions={"persistedQuery":{"version":1,"sha256Hash":{"toString":1}}}',
  ])('is a 400: GET %s', async (url) => {
    expect(await send({ url, headers: PREFLIGHT })).toBe(400);
  });
});

describe('a forged or unsupported request', () => {
  const query = '{ trendingVideos { nodes { id } } }';
  const payload = JSON.stringify({ query });

  it.each([
    ['text/plain', 415],
    ['text/plain; charset=application/json', 415],
    ['application/x-www-form-urlencoded', 415],
    ['multipart/form-data; boundary=x', 415],
    ['application/graphql', 415],
    ['none/', 415],
  ])('is refused when its body is of type %s', async (type, status) => {
    expect(await send({ method: 'POST', headers: { 'content-type': type }, payload })).toBe(status);
  });

  it('is refused when it has no content type or body, or is a GET that any page could send', async () => {
    expect(await send({ method: 'POST', payload: Buffer.from(payload), headers: {} })).toBe(415);
    expect(await send({ method: 'POST', query: { query } })).toBe(400);
    expect(await send({ query: { query } })).toBe(400);
    expect(await send({ method: 'HEAD', query: { query } })).toBe(400);
  });

  it('is refused when it is a batch', async () => {
    expect(await post(`[${payload}]`)).toBe(400);
    expect(await post(`[${payload},${payload}]`)).toBe(400);
    expect(await post('[]')).toBe(400);
  });

  it('is refused when it is a mutation or a subscription by GET', async () => {
    for (const operation of [
      'mutation { trendingVideos { nodes { id } } }',
      'subscription { trendingVideos { nodes { id } } }',
    ]) {
      expect(await send({ query: { query: operation }, headers: PREFLIGHT })).toBe(405);
    }
  });
});
