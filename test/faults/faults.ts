import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { range } from '../support/charts.ts';
import { type Handler, makeRow, makeSuccess, reply } from '../support/upstream.ts';

/** Something that upstream does wrong, and how it is handled. The tests and docs/faults.md are generated from these. */
export interface Fault {
  /** Its name in docs/faults.md. */
  readonly name: string;
  /** Responds to every request while the fault lasts; undefined when upstream refuses connections. */
  readonly handler: Handler | undefined;
  /** The result of an operation when nothing is cached: an error, or the window's ranks. */
  readonly cold: ErrorCode | readonly number[];
  /** Requests to upstream that this operation causes. */
  readonly requests: number;
  /** Attempts of this operation to send one: `requests` by default. */
  readonly attempts?: number;
  /** True for a usable response that is refused when it would replace cached rows. */
  readonly isRefusedOverRows?: boolean;
  /** Seconds until upstream is called again; 0 for a response that is cached for the time to live of a page. */
  readonly pauseSeconds: number;
  /** True when the error says how long to wait: `pauseSeconds`. */
  readonly saysRetryAfter?: boolean;
  /** Videos in the window: 5 by default. */
  readonly first?: number;
}

/** Serves a chart of 100 videos; `change` may replace the rows and the pagination of a page. */
export function serveChart(change: (page: ChartResponse) => Partial<ChartResponse> = () => ({})): Handler {
  return (request, response) => {
    const number = pageOf(request);
    const rows: unknown[] = range((number - 1) * 20 + 1, Math.min(number * 20, 100)).map((rank) =>
      makeRow(String(rank), { cover: null }),
    );
    const pagination = { has_more: number < 5, limit: 20, page: number, total_count: 100 };
    const page = { number, rows, pagination };
    const changed = { ...page, ...change(page) };
    reply(makeSuccess(changed.rows, changed.pagination))(request, response);
  };
}

interface ChartResponse {
  readonly number: number;
  readonly rows: readonly unknown[];
  readonly pagination: unknown;
}

function pageOf({ url }: IncomingMessage): number {
  return Number(new URL(url ?? '', 'http://localhost').searchParams.get('page'));
}

function refusal(code: number, status = code, headers: Record<string, string> = {}): Handler {
  return reply({ code, data: null, message: 'no' }, status, headers);
}

/** Sends these bytes instead of a response, then closes or resets the connection. */
function raw(bytes: string, end: 'destroy' | 'resetAndDestroy'): Handler {
  return ({ socket }) => {
    if (bytes === '') socket[end]();
    else socket.write(bytes, () => socket[end]());
  };
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n';
const JSON_TYPE = { 'content-type': 'application/json' };

const dripSlowly: Handler = (_request, response) => {
  response.writeHead(200, JSON_TYPE);
  const drip = (): void => {
    if (!response.destroyed) response.write(' ', () => setImmediate(drip));
  };
  drip();
};

/** Responds when the client has already closed the connection. */
const respondLate: Handler = (request, response) => {
  response.once('close', () => serveChart()(request, response));
};

const sendTooMuch: Handler = (_request, response) => {
  const chunk = Buffer.alloc(2 ** 20, ' ');
  let left = 200;
  response.writeHead(200, { ...JSON_TYPE, 'content-length': String(left * chunk.length) });
  const send = (): void => {
    while (left-- > 0 && !response.destroyed) if (!response.write(chunk)) return;
    response.end();
  };
  response.on('drain', send);
  send();
};

/** Temporary failures: the page is not fetched again for a second, then twice as long after each further failure. */
const UNREADABLE = { cold: 'UPSTREAM_BAD_RESPONSE', requests: 1, pauseSeconds: 1 } as const;
const FAILED = { cold: 'UPSTREAM_ERROR', requests: 2, pauseSeconds: 1 } as const;
const LATE = { cold: 'UPSTREAM_TIMEOUT', requests: 1, pauseSeconds: 1 } as const;
const LIMITED = { cold: 'UPSTREAM_RATE_LIMITED', requests: 1, saysRetryAfter: true } as const;
/** An empty page is not fetched again for a minute, then twice as long after each further one, up to the time to live. */
const EMPTY = { cold: [], requests: 1, pauseSeconds: 60, isRefusedOverRows: true };
/** Flaws that are fixed or ignored. */
const USABLE = { cold: range(1, 5), requests: 1, pauseSeconds: 0 };

/** The fault matrix. */
export const FAULTS: readonly Fault[] = [
  { name: '400', handler: refusal(400), cold: 'BAD_USER_INPUT', requests: 1, pauseSeconds: 600 },
  { name: '401', handler: refusal(401), cold: 'UPSTREAM_UNAUTHENTICATED', requests: 1, pauseSeconds: 60 },
  { name: '402', handler: refusal(402), cold: 'UPSTREAM_QUOTA_EXCEEDED', requests: 1, pauseSeconds: 60 },
  { name: '403', handler: refusal(403), cold: 'UPSTREAM_FORBIDDEN', requests: 1, pauseSeconds: 60 },
  { name: '404', handler: refusal(404), ...UNREADABLE },
  {
    name: '429, `Retry-After: 7`',
    handler: refusal(429, 429, { 'retry-after': '7' }),
    ...LIMITED,
    pauseSeconds: 7,
  },
  {
    name: '429, `Retry-After: 3600`',
    handler: refusal(429, 429, { 'retry-after': '3600' }),
    ...LIMITED,
    pauseSeconds: 120,
  },
  {
    name: '429, `Retry-After`: a date 30 seconds ahead',
    // By upstream's clock, wherever ours is.
    handler: refusal(429, 429, {
      date: 'Fri, 02 Jan 2026 00:00:00 GMT',
      'retry-after': 'Fri, 02 Jan 2026 00:00:30 GMT',
    }),
    ...LIMITED,
    pauseSeconds: 30,
  },
  { name: '429 without `Retry-After`', handler: refusal(429), ...LIMITED, pauseSeconds: 60 },
  { name: '500', handler: refusal(500), ...FAILED },
  { name: '503', handler: refusal(503), ...FAILED },
  {
    name: '503, `Retry-After: 1`: the retry waits for it',
    handler: refusal(503, 503, { 'retry-after': '1' }),
    ...FAILED,
    saysRetryAfter: true,
  },
  {
    name: '503, `Retry-After: 7`: too long for a retry',
    handler: refusal(503, 503, { 'retry-after': '7' }),
    cold: 'UPSTREAM_ERROR',
    requests: 1,
    pauseSeconds: 7,
    saysRetryAfter: true,
  },
  { name: '502 with HTML', handler: reply('<html>Bad gateway</html>', 502), ...FAILED },
  { name: '200 with HTML', handler: reply('<html>Welcome</html>'), ...UNREADABLE },
  { name: '200 with an empty body', handler: reply(''), ...UNREADABLE },
  { name: '204', handler: (_request, response) => void response.writeHead(204).end(), ...UNREADABLE },
  {
    name: 'invalid gzip',
    handler: reply('not gzip', 200, { 'content-encoding': 'gzip' }),
    ...UNREADABLE,
  },
  {
    name: 'gzip that was not requested',
    handler: reply(gzipSync(JSON.stringify(makeSuccess())), 200, { 'content-encoding': 'gzip' }),
    ...UNREADABLE,
  },
  { name: 'invalid UTF-8', handler: reply(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])), ...UNREADABLE },
  { name: 'truncated JSON', handler: reply('{"code":0,"data":{"pagination":{'), ...UNREADABLE },
  {
    name: 'JSON nested 50,000 deep',
    handler: reply(`{"code":0,"data":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
    ...UNREADABLE,
  },
  { name: 'a body of 200 MB', handler: sendTooMuch, ...UNREADABLE },
  { name: 'late headers', handler: respondLate, ...LATE },
  { name: 'a body sent byte by byte, without end', handler: dripSlowly, ...LATE },
  { name: 'no response at all', handler: () => undefined, ...LATE },
  {
    name: 'connection refused',
    handler: undefined,
    cold: 'UPSTREAM_UNAVAILABLE',
    requests: 0,
    attempts: 2,
    pauseSeconds: 1,
  },
  {
    name: 'connection reset before the headers',
    handler: raw('', 'resetAndDestroy'),
    cold: 'UPSTREAM_UNAVAILABLE',
    requests: 2,
    pauseSeconds: 1,
  },
  {
    name: 'connection closed before the headers',
    handler: raw('', 'destroy'),
    cold: 'UPSTREAM_UNAVAILABLE',
    requests: 2,
    pauseSeconds: 1,
  },
  {
    name: 'connection reset during the headers',
    handler: raw(HEAD, 'resetAndDestroy'),
    cold: 'UPSTREAM_UNAVAILABLE',
    requests: 1,
    pauseSeconds: 1,
  },
  {
    name: 'connection closed during the headers',
    handler: raw(HEAD, 'destroy'),
    cold: 'UPSTREAM_UNAVAILABLE',
    requests: 1,
    pauseSeconds: 1,
  },
  {
    name: 'connection reset after the headers',
    handler: raw(`${HEAD}\r\n{"co`, 'resetAndDestroy'),
    ...UNREADABLE,
  },
  {
    name: 'connection closed after the headers',
    handler: raw(`${HEAD}\r\n{"co`, 'destroy'),
    ...UNREADABLE,
  },
  {
    name: '200 with `code: 400`',
    handler: refusal(400, 200),
    cold: 'BAD_USER_INPUT',
    requests: 1,
    pauseSeconds: 600,
  },
  {
    name: '200 with `code: 402`',
    handler: refusal(402, 200),
    cold: 'UPSTREAM_QUOTA_EXCEEDED',
    requests: 1,
    pauseSeconds: 60,
  },
  { name: '200 with `code: 429`', handler: refusal(429, 200), ...LIMITED, pauseSeconds: 60 },
  { name: '200 with `code: 500`', handler: refusal(500, 200), ...FAILED },
  { name: '`data: null`', handler: reply({ code: 0, message: 'success', data: null }), ...UNREADABLE },
  { name: '`data: []`', handler: reply({ code: 0, message: 'success', data: [] }), ...UNREADABLE },
  { name: 'no `pagination`', handler: reply({ code: 0, data: { videos: [] } }), ...UNREADABLE },
  {
    name: 'a different page than requested',
    handler: reply(makeSuccess([], { has_more: true, limit: 20, page: 7, total_count: 100 })),
    ...UNREADABLE,
  },
  {
    name: 'a redirect to another host',
    handler: reply('', 302, { location: 'http://localhost:9/elsewhere' }),
    ...UNREADABLE,
  },
  {
    name: 'a redirect in a loop',
    handler: (request, response) => reply('', 307, { location: request.url ?? '' })(request, response),
    ...UNREADABLE,
  },
  {
    name: 'no videos and `total_count: 0`: the source has dried up',
    handler: serveChart(({ number }) => ({
      rows: [],
      pagination: { has_more: false, limit: 20, page: number, total_count: 0 },
    })),
    ...EMPTY,
  },
  {
    name: 'no videos, whatever `total_count` says',
    handler: serveChart(() => ({ rows: [] })),
    ...EMPTY,
  },
  {
    name: 'numbers sent as text',
    handler: serveChart(({ number, rows }) => ({
      rows: rows.map((row) => ({ ...(row as object), duration: '9' })),
      pagination: { has_more: true, limit: '20', page: String(number), total_count: '100' },
    })),
    ...USABLE,
  },
  {
    name: 'null and malformed rows: their ranks stay empty',
    handler: serveChart(({ rows }) => ({ rows: [null, 'row', {}, ...rows.slice(3)] })),
    ...USABLE,
    cold: [4, 5],
  },
  {
    name: '`has_more: false` in the middle of a chart',
    handler: serveChart(({ pagination }) => ({ pagination: { ...(pagination as object), has_more: false } })),
    ...USABLE,
    first: 25,
    cold: range(1, 25),
    requests: 2,
  },
  {
    name: '`has_more` sent as 0 or 1',
    handler: serveChart(({ number, pagination }) => ({
      pagination: { ...(pagination as object), has_more: number < 5 ? 1 : 0 },
    })),
    ...USABLE,
  },
  {
    name: '`has_more` sent as text',
    handler: serveChart(({ number, pagination }) => ({
      pagination: { ...(pagination as object), has_more: number < 5 ? 'True' : 'False' },
    })),
    ...USABLE,
  },
  {
    name: 'no `has_more`',
    handler: serveChart(({ pagination }) => ({ pagination: { ...(pagination as object), has_more: null } })),
    ...USABLE,
    first: 100,
    cold: range(1, 100),
    requests: 5,
  },
  {
    name: "`videos: null` behind a chart's end",
    handler: (request, response) => {
      const number = pageOf(request);
      const rows = number === 1 ? range(1, 20).map((rank) => makeRow(String(rank))) : null;
      const pagination = { has_more: false, limit: 20, page: number, total_count: 20 };
      reply(makeSuccess(rows, pagination))(request, response);
    },
    ...USABLE,
    first: 40,
    cold: range(1, 20),
    requests: 2,
  },
  {
    name: "`has_more: true` at a chart's end",
    handler: serveChart(({ pagination }) => ({ pagination: { ...(pagination as object), has_more: true } })),
    ...USABLE,
    first: 100,
    cold: range(1, 100),
    requests: 5,
  },
  {
    name: 'a `total_count` that shrinks from page to page',
    handler: serveChart(({ number, pagination }) => ({
      pagination: { ...(pagination as object), total_count: 100 - 15 * number },
    })),
    ...USABLE,
    first: 40,
    cold: range(1, 40),
    requests: 2,
  },
  {
    name: 'videos repeated on the next page: each is shown once',
    handler: serveChart(({ number, rows }) =>
      number === 2 ? { rows: [...range(16, 20).map((rank) => makeRow(String(rank))), ...rows.slice(5)] } : {},
    ),
    ...USABLE,
    first: 40,
    cold: [...range(1, 20), ...range(26, 40)],
    requests: 2,
  },
  {
    name: '`limit` clamped to 10: the page size follows',
    handler: serveChart(({ number }) => ({
      rows: range((number - 1) * 10 + 1, number * 10).map((rank) => makeRow(String(rank))),
      pagination: { has_more: number < 10, limit: 10, page: number, total_count: 100 },
    })),
    ...USABLE,
    first: 15,
    cold: range(1, 15),
    requests: 2,
  },
  {
    name: 'more rows than requested',
    handler: serveChart(({ rows }) => ({ rows: [...rows, ...rows, ...rows] })),
    ...USABLE,
    first: 20,
    cold: range(1, 20),
  },
  {
    name: '`__proto__` among the keys',
    handler: (_request, response) => {
      const page = JSON.stringify(makeSuccess(range(1, 20).map((rank) => makeRow(String(rank)))));
      response.writeHead(200, JSON_TYPE);
      response.end(page.replaceAll('{', '{"__proto__":{"code":500,"polluted":true},'));
    },
    ...USABLE,
  },
];
