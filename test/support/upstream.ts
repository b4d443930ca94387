import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Upstream {
  readonly url: URL;
  /** The requests received, as path and query. */
  readonly requests: string[];
  /** Stops listening. */
  pause(): Promise<void>;
  /** Listens again, on the same port. */
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** A real HTTP server whose responses the test chooses: for what the emulator never sends. */
export async function startUpstream(handler: Handler): Promise<Upstream> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    handler(request, response);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    requests,
    pause: close,
    resume: () => (server.listening ? Promise.resolve() : listen(port)),
    close,
  };
}

/** Responds with `body`: as JSON, or unchanged when it is a string or a buffer. */
export function reply(body: unknown, status = 200, headers: Record<string, string> = {}): Handler {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
  };
}

/** A row as KeyAPI sends it. */
export function makeRow(id: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    country_code: 'US',
    cover: `https://p16-sign-va.tiktokcdn.com/${id}~tplv-noop.image?dr=18692&x-expires=1770133396&x-signature=tTc%2B`,
    duration: 9,
    id,
    item_id: id,
    item_url: `https://www.tiktok.com/@mnm_pipi/video/${id}`,
    region: 'United States',
    title: 'This pup is living her best life. ... 🐶',
    ...overrides,
  };
}

/** The body of a successful response of KeyAPI. */
export function makeSuccess(
  videos: unknown = [makeRow('7587114666132868383')],
  pagination: unknown = { has_more: true, limit: 20, page: 1, total_count: 500 },
): Record<string, unknown> {
  return {
    code: 0,
    message: 'success',
    data: { pagination, videos },
    requestId: 'd78497da-6b4e-4da3-b15e-da48fca8d5af',
  };
}
