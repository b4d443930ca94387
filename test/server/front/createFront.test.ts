import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from '@jest/globals';
import { request } from 'undici';
import { toRequestError } from '../../../src/graphql/execution/formatError.ts';
import { Refusal } from '../../../src/server/errors/refusal.ts';
import type { ServerEvent } from '../../../src/server/events.ts';
import { createFront } from '../../../src/server/front/createFront.ts';
import { createCors } from '../../../src/server/http/cors.ts';
import { HttpResponse } from '../../../src/server/responses/httpResponse.ts';
import { sendRaw } from '../../support/rawHttp.ts';

/** Node refuses to send it. */
const BROKEN = { 'x-broken': 'a\nb' };

let server: Server;
let events: ServerEvent[];

/** Serves responses, and refusals, with these headers. */
async function start(
  headersFor: (url: string) => Record<string, string>,
  refusal: Record<string, string>,
): Promise<string> {
  events = [];
  const front = createFront({
    source: 'keyapi',
    limits: { bodyBytes: 1000, headerBytes: 1000, requestMs: 1000, keepAliveMs: 1000 },
    cors: createCors([]),
    admit: () => undefined,
    respond: ({ url }) => ({ response: new HttpResponse(200, headersFor(url), '{}'), origin: 'made' }),
    toRefusal: () => new Refusal(500, toRequestError('Failed', 'INTERNAL_SERVER_ERROR'), refusal),
    isDraining: () => false,
    isRefusing: () => false,
    onRoute: undefined,
    onEvent: (event) => void events.push(event),
    monotonic: () => 0,
  });
  server = createServer(front).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
}

afterEach(() => {
  server.close();
});

it('responds with an error when the response cannot be written', async () => {
  const url = await start(() => BROKEN, {});
  const { statusCode, body } = await request(url);
  await body.dump();
  expect(statusCode).toBe(500);
  expect(events).toHaveLength(1);
});

it('sends the other responses when one of those that are sent together cannot be written', async () => {
  const url = await start((path) => (path.endsWith('broken') ? BROKEN : {}), {});
  const port = Number(new URL(url).port);
  const get = (search: string): string => `GET /graphql${search} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const { statuses } = await sendRaw(port, [get('') + get('?broken') + get('')], { responses: 3 });
  // The last one is that of `sendRaw`'s own request.
  expect(statuses).toEqual([200, 500, 200, 200]);
});

it('closes the connection when the error cannot be written either', async () => {
  const url = await start(() => BROKEN, BROKEN);
  await expect(request(url)).rejects.toThrow('other side closed');
  expect(events).toHaveLength(1);
});
