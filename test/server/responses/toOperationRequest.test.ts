import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'fastify';
import { toOperationRequest } from '../../../src/server/responses/toOperationRequest.ts';
import { describeEachExecution, type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

const QUERY = 'query Top($first: Int = 1) { trendingVideos(first: $first) { nodes { __typename } } }';
const TOP = { data: { trendingVideos: { nodes: [{ __typename: 'TrendingVideo' }] } } };
const PREFLIGHT = { 'apollo-require-preflight': 'true' };
const HASH = createHash('sha256').update(QUERY).digest('hex');
const HASH_EXTENSIONS = { persistedQuery: { version: 1, sha256Hash: HASH } };

describe('toOperationRequest', () => {
  const toSearch = (search: string) =>
    toOperationRequest({ method: 'GET', url: `/graphql${search}`, headers: {} }, undefined).search;
  const toBody = (body: unknown) =>
    toOperationRequest({ method: 'POST', url: '/graphql', headers: {} }, body).body;

  it.each([
    ['?query=%7Ba%7D&operationName=&variables=&extensions=', '?query=%7Ba%7D'],
    ['?query=&documentId=&extensions=%7B%7D', '?extensions=%7B%7D'],
    ['?operationName', ''],
    ['?query=&query=%7Ba%7D', '?query=%7Ba%7D'],
  ])('leaves empty parameters out of %s', (search, expected) => {
    expect(toSearch(search)).toBe(expected);
  });

  it.each(['', '?', '?query={a}&variables={"a":""}', '?query=%7Ba%7D&operationName=%20', '?own=&query=a+b'])(
    'leaves the search as it is: %j',
    (search) => {
      expect(toSearch(search)).toBe(search);
    },
  );

  it('replaces empty texts of a body by null', () => {
    expect(toBody({ query: '', operationName: '', documentId: '', variables: '', own: '' })).toEqual({
      query: null,
      operationName: null,
      documentId: null,
      variables: '',
      own: '',
    });
  });

  it.each([{ query: '{ a }', operationName: null }, [''], '', null, undefined])(
    'leaves the body as it is: %j',
    (body) => {
      expect(toBody(body)).toBe(body);
    },
  );
});

describeEachExecution(() => {
  let app: EmulatedApp;

  beforeEach(async () => {
    app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' });
    // Buys the page that all responses here are cut from.
    await app.query(QUERY);
  });
  afterEach(() => app.close());

  async function send(request: InjectOptions) {
    const { statusCode, body } = await app.server.inject({ url: '/graphql', ...request });
    return { status: statusCode, ...JSON.parse(body) };
  }
  const post = (payload: object) => send({ method: 'POST', payload });
  const get = (query: Record<string, string>) => send({ query, headers: PREFLIGHT });

  describe('an empty parameter', () => {
    it.each(['', null])('counts as absent in a POST: operationName %j', async (operationName) => {
      for (const body of [
        { query: QUERY, operationName },
        { query: QUERY, operationName, variables: null, extensions: null },
        { query: QUERY, operationName, variables: { first: 1 }, extensions: HASH_EXTENSIONS },
        { query: operationName, operationName, extensions: HASH_EXTENSIONS },
      ]) {
        expect(await post(body)).toMatchObject({ status: 200, ...TOP });
      }
    });

    it('counts as absent in a GET', async () => {
      const extensions = JSON.stringify(HASH_EXTENSIONS);
      const empty = { operationName: '', variables: '' };
      expect(await get({ query: QUERY, ...empty, extensions: '' })).toMatchObject({ status: 200, ...TOP });
      expect(await get({ query: QUERY, ...empty, extensions })).toMatchObject({ status: 200, ...TOP });
      expect(await get({ query: '', ...empty, extensions })).toMatchObject({ status: 200, ...TOP });
    });

    it('does not choose among several operations', async () => {
      const query = 'query A { __typename } query B { __typename }';
      for (const result of [
        await post({ query, operationName: '' }),
        await get({ query, operationName: '' }),
      ]) {
        expect(result.errors).toMatchObject([{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }]);
      }
    });

    it('makes no request pass that other pages could send', async () => {
      expect(await send({ query: { query: QUERY, operationName: '' } })).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'BAD_REQUEST' } }],
      });
    });

    it('has to be a document all the same', async () => {
      for (const result of [await post({ query: '' }), await get({ query: '' })]) {
        expect(result).toMatchObject({
          status: 400,
          errors: [{ message: expect.stringContaining('must contain a non-empty `query`') }],
        });
      }
    });
  });
});
