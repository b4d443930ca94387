import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { rawPost, sendRaw } from '../../support/rawHttp.ts';
import { until } from '../../support/until.ts';

const BODY = '{"query":"{ __typename }"}';
const POST = rawPost([`Content-Length: ${BODY.length}`], BODY);
const SEARCH = '/graphql?query={__typename}';

let app: EmulatedApp;
let port: number;
let events: AppEvent[];

async function start(variables: Record<string, string> = {}): Promise<void> {
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startEmulatedApp({}, variables, { onEvent });
  port = Number(new URL(await app.server.listen({ host: '127.0.0.1', port: 0 })).port);
}

const rawGet = (url: string, lines: readonly string[]): string =>
  `${[`GET ${url} HTTP/1.1`, 'Host: a', ...lines].join('\r\n')}\r\n\r\n`;

const refusals = () =>
  events.flatMap((event) =>
    event.type === 'response' && event.origin === 'refused' ? [[event.status, ...event.codes]] : [],
  );

afterEach(() => app.close());

describe('a WebSocket handshake', () => {
  const KEY_LINES = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

  beforeEach(() => start());

  it.each([
    [
      'of graphql-ws',
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Protocol: graphql-transport-ws'],
    ],
    [
      'of subscriptions-transport-ws',
      ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Protocol: graphql-ws'],
    ],
    ['in capitals', ['Connection: UPGRADE', 'Upgrade: WebSocket']],
    ['with several tokens', ['Connection: keep-alive, Upgrade', 'Upgrade: h2c, websocket']],
    ['with a version', ['Connection: upgrade', 'Upgrade: websocket/13']],
    [
      'in several headers',
      ['Connection: keep-alive', 'Connection: Upgrade', 'Upgrade: h2c', 'Upgrade: websocket'],
    ],
    ['by a proxy that does not pass Upgrade on', KEY_LINES],
  ])('is told that operations are sent by HTTP: %s', async (_name, lines) => {
    for (const url of ['/graphql', '/graphql/', SEARCH]) {
      const { statuses, text, isClosed } = await sendRaw(port, [rawGet(url, lines) + POST]);
      // It is closed, so that the client knows that nothing else was executed.
      expect([statuses, isClosed]).toEqual([[400], true]);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      expect(head).toMatch(/^cache-control: no-store$/im);
      expect(head).not.toMatch(/^upgrade:/im);
      expect(JSON.parse(body)).toEqual({
        errors: [
          {
            message: expect.stringMatching(
              /^Expected an operation by HTTP .* WebSocket handshake: .* no subscriptions/,
            ),
            extensions: { code: 'BAD_REQUEST', retryable: false },
          },
        ],
        extensions: { upstream: expect.objectContaining({ requests: 0 }) },
      });
    }
    expect(refusals()).toEqual(Array(3).fill([400, 'BAD_REQUEST']));
  });

  it.each([
    ['h2c', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']],
    ['TLS', ['Connection: Upgrade', 'Upgrade: TLS/1.0']],
    ['an unknown protocol', ['Connection: Upgrade', 'Upgrade: websockets']],
    ['nothing', ['Connection: Upgrade']],
    ['what does not concern this connection', ['Connection: keep-alive', 'Upgrade: websocket']],
  ])('is no other upgrade, which is ignored: %s', async (_name, lines) => {
    const get = rawGet(SEARCH, [...lines, 'Apollo-Require-Preflight: 1']);
    const post = rawPost([...lines, `Content-Length: ${BODY.length}`], BODY);
    const between = () => until(() => events.some(({ type }) => type === 'response'));
    const { statuses, isClosed } = await sendRaw(port, [get, post], { responses: 2, between });
    expect([statuses, isClosed]).toEqual([[200, 200], false]);
    expect(refusals()).toEqual([]);
  });

  it('is never a POST', async () => {
    const lines = ['Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${BODY.length}`];
    expect((await sendRaw(port, [rawPost(lines, BODY)], { responses: 1 })).statuses).toEqual([200]);
  });
});

describe('a request for server-sent events', () => {
  beforeEach(() => start());

  const send = (accept: string) =>
    Promise.all([
      app.server.inject({
        method: 'POST',
        url: '/graphql',
        payload: BODY,
        headers: { accept, 'content-type': 'application/json' },
      }),
      app.server.inject({ url: SEARCH, headers: { accept } }),
    ]);

  it.each([
    'text/event-stream',
    'Text/Event-Stream; charset=UTF-8',
    'text/event-stream, application/json;q=0',
  ])('is told that responses are JSON: %s', async (accept) => {
    for (const { statusCode, json } of await send(accept)) {
      expect(statusCode).toBe(406);
      expect(json().errors).toEqual([
        {
          message: expect.stringMatching(
            /^Expected an Accept header with application\/json .*no subscriptions/,
          ),
          extensions: { code: 'BAD_REQUEST', retryable: false },
        },
      ]);
    }
    expect(refusals()).toEqual(Array(2).fill([406, 'BAD_REQUEST']));
  });

  it.each([
    'application/graphql-response+json, application/json, text/event-stream, multipart/mixed',
    'text/event-stream, */*;q=0.1',
  ])('gets JSON where it accepts that as well: %s', async (accept) => {
    const [{ statusCode, headers, json }] = await send(accept);
    expect([statusCode, json().data]).toEqual([200, { __typename: 'Query' }]);
    expect(headers['content-type']).toMatch(/json/);
  });
});

it('is counted, and refused before its key: browsers send none with it', async () => {
  await start({ API_KEYS: '0123456789', RATE_LIMIT_PER_MINUTE: '1' });
  const headers = { connection: 'upgrade', upgrade: 'websocket' };
  const send = async () => (await app.server.inject({ url: '/graphql', headers })).statusCode;
  expect([await send(), await send()]).toEqual([400, 429]);
});
