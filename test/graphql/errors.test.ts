import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { describeEachExecution, startApp, type TestApp, TOKEN } from '../support/app.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { type Handler, makeSuccess, reply, startUpstream, type Upstream } from '../support/upstream.ts';

const QUERY = '{ trendingVideos(first: 1) { nodes { itemId } } }';
const TIMEOUT_MS = 250;
const REQUEST_ID = 'd78497da-6b4e-4da3-b15e-da48fca8d5af';

let upstream: Upstream;
let app: TestApp;
let clock: TestClock;

async function start(handler: Handler): Promise<void> {
  upstream = await startUpstream(handler);
  clock = createTestClock();
  app = await startApp(upstream.url, { KEYAPI_TIMEOUT_MS: String(TIMEOUT_MS) }, { clock });
}

describeEachExecution(() => {
  afterEach(async () => {
    await app.close();
    await upstream.close();
  });

  /** A response with a message from KeyAPI, which must not reach a client. */
  function refusal(code: number, status = code, headers: Record<string, string> = {}): Handler {
    const message = `secret words about ${TOKEN}`;
    return reply({ code, data: null, message, requestId: REQUEST_ID }, status, headers);
  }

  function replied(status: number, code: number | null) {
    return { upstream: { status, code, requestId: code === null ? null : REQUEST_ID } };
  }

  /** No response before the deadline. */
  const silence: Handler = () => clock.expireDeadlines(TIMEOUT_MS);
  const hangUp: Handler = (request) => void request.socket.destroy();

  describe('the error table', () => {
    it.each<[string, Handler, Record<string, unknown>]>([
      ['400', refusal(400), { code: 'BAD_USER_INPUT', retryable: false, ...replied(400, 400) }],
      ['401', refusal(401), { code: 'UPSTREAM_UNAUTHENTICATED', retryable: false, ...replied(401, 401) }],
      ['402', refusal(402), { code: 'UPSTREAM_QUOTA_EXCEEDED', retryable: false, ...replied(402, 402) }],
      ['403', refusal(403), { code: 'UPSTREAM_FORBIDDEN', retryable: false, ...replied(403, 403) }],
      [
        '429 with Retry-After in seconds',
        refusal(429, 429, { 'retry-after': '7' }),
        { code: 'UPSTREAM_RATE_LIMITED', retryable: true, retryAfterSeconds: 7, ...replied(429, 429) },
      ],
      [
        '429 without Retry-After',
        refusal(429),
        { code: 'UPSTREAM_RATE_LIMITED', retryable: true, retryAfterSeconds: 60, ...replied(429, 429) },
      ],
      ['500', refusal(500), { code: 'UPSTREAM_ERROR', retryable: true, ...replied(500, 500) }],
      ['503', refusal(503), { code: 'UPSTREAM_ERROR', retryable: true, ...replied(503, 503) }],
      [
        '402 under HTTP 200',
        refusal(402, 200),
        { code: 'UPSTREAM_QUOTA_EXCEEDED', retryable: false, ...replied(200, 402) },
      ],
      ['404', refusal(404), { code: 'UPSTREAM_BAD_RESPONSE', retryable: true, ...replied(404, 404) }],
      ['418', refusal(418), { code: 'UPSTREAM_BAD_RESPONSE', retryable: true, ...replied(418, 418) }],
      ['no response', silence, { code: 'UPSTREAM_TIMEOUT', retryable: true }],
      ['a closed connection', hangUp, { code: 'UPSTREAM_UNAVAILABLE', retryable: true }],
      [
        'HTML',
        reply('<html>secret words</html>'),
        { code: 'UPSTREAM_BAD_RESPONSE', retryable: true, ...replied(200, null) },
      ],
      [
        'truncated JSON',
        reply('{"code":0,"data":{'),
        { code: 'UPSTREAM_BAD_RESPONSE', retryable: true, ...replied(200, null) },
      ],
      [
        'JSON of an unexpected shape',
        reply({ code: 0, data: [], requestId: REQUEST_ID }),
        { code: 'UPSTREAM_BAD_RESPONSE', retryable: true, ...replied(200, 0) },
      ],
    ])('gives the error for %s, leaks nothing, and counts the calls', async (name, handler, extensions) => {
      await start(handler);
      // These are retried once (docs/faults.md).
      const requests = ['500', '503', 'a closed connection'].includes(name) ? 2 : 1;
      const response = await app.server.inject({
        method: 'POST',
        url: '/graphql',
        payload: { query: QUERY },
      });
      const code = extensions.code as keyof typeof ERROR_CODES;
      expect(response.statusCode).toBe(200);
      expect(response.json()).toEqual({
        data: { trendingVideos: null },
        errors: [
          {
            message:
              code === 'BAD_USER_INPUT'
                ? 'The data provider rejected the arguments.'
                : ERROR_CODES[code].message,
            locations: [{ line: 1, column: 3 }],
            path: ['trendingVideos'],
            extensions,
          },
        ],
        extensions: {
          upstream: {
            source: 'keyapi',
            requests,
            credits: requests * 2,
            pages: { cached: 0, stale: 0, shared: 0, fetched: 0 },
          },
        },
      });
      expect(response.body).not.toMatch(/secret|sk-test|127\.0\.0\.1/);
      expect(upstream.requests).toHaveLength(requests);
    });

    it('recovers when upstream does, after the cached error has expired', async () => {
      let isUp = false;
      await start((request, response) => (isUp ? reply(makeSuccess()) : refusal(500))(request, response));
      expect((await app.query(QUERY)).errors).toMatchObject([{ extensions: { code: 'UPSTREAM_ERROR' } }]);
      isUp = true;
      clock.advance(1000);
      expect(await app.query(QUERY)).toMatchObject({
        data: { trendingVideos: { nodes: [{ itemId: '7587114666132868383' }] } },
      });
    });

    it('fetches a failing page once, however many aliases need it', async () => {
      await start(refusal(404));
      const { errors } = await app.query(
        '{ a: trendingVideos { nodes { id } } b: trendingVideos { totalCount } }',
      );
      expect(errors).toHaveLength(2);
      expect(upstream.requests).toHaveLength(1);
    });

    it('has exactly the codes that docs/errors.md lists', async () => {
      await start(silence);
      const documented = [
        ...(await readFile('docs/errors.md', 'utf8')).matchAll(/^\| `([A-Z_]+)` +\| (yes|no) +\|/gm),
      ];
      const errorCodes = Object.entries(ERROR_CODES).map(([code, { retryable }]) => [
        code,
        retryable ? 'yes' : 'no',
      ]);
      const overloadCodes = ['RATE_LIMITED', 'OVERLOADED', 'SERVER_CLOSING'].map((code) => [code, 'yes']);
      const otherCodes = [
        'GRAPHQL_PARSE_FAILED',
        'GRAPHQL_VALIDATION_FAILED',
        'OPERATION_RESOLUTION_FAILURE',
        'BAD_REQUEST',
        'UNAUTHENTICATED',
        'PERSISTED_QUERY_ID_REQUIRED',
        'PERSISTED_QUERY_NOT_FOUND',
        'INTERNAL_SERVER_ERROR',
      ];
      expect(documented.map(([, code, retryable]) => [code, retryable]).sort()).toEqual(
        [...errorCodes, ...overloadCodes, ...otherCodes.map((code) => [code, 'no'])].sort(),
      );
    });
  });
});
