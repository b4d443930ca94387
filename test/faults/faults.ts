import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { MAX_BATCH, statsEndpoint } from '../../src/domain/videoStats.ts';
import { range } from '../support/charts.ts';
import { type Handler, makeRow, makeSuccess, reply } from '../support/upstream.ts';

/** How a fault is handled while it lasts. */
export interface Handling {
  /**
   * The result of an operation when nothing is cached: an error, or the ranks that are there. For numbers: those of the
   * videos that have some; the others are null, without an error.
   */
  readonly cold: ErrorCode | readonly number[];
  /** Requests to upstream that this operation causes. */
  readonly requests: number;
  /** Attempts of this operation to send one: `requests` by default. */
  readonly attempts?: number;
  /** Seconds until upstream is called again; 0 for a response that is cached for its time to live. */
  readonly pauseSeconds: number;
  /** The same where it is refused because it would replace stale numbers. */
  readonly stalePauseSeconds?: number;
  /** True when the error says how long to wait: `pauseSeconds`. */
  readonly saysRetryAfter?: boolean;
}

/** Something that upstream does wrong, and how it is handled. The tests and docs/faults.md are generated from these. */
export interface Fault extends Handling {
  /** Its name in docs/faults.md. */
  readonly name: string;
  /** Responds to every request while the fault lasts; undefined when upstream refuses connections. */
  readonly handler: Handler | undefined;
  /** The endpoint that alone can have it, by its payload: by default both can. */
  readonly only?: 'pages' | 'numbers';
  /** How it is handled for numbers, where `toNumbersFault` does not derive it. */
  readonly numbers?: Partial<Handling>;
  /** True for a usable page that is refused when it would replace cached rows. */
  readonly isRefusedOverRows?: boolean;
  /** Videos in the window, for pages: 5 by default. For numbers it is `BATCH`. */
  readonly first?: number;
}

/** Ranks of the videos whose numbers are requested: one batch. */
export const BATCH = range(1, MAX_BATCH);
/** How long an endpoint is not called, the first time, after a response for which it pauses. */
const ENDPOINT_PAUSE_SECONDS = 60;

/** How a fault is handled for numbers; undefined when only a page can have it. */
export function toNumbersFault(fault: Fault): Fault | undefined {
  if (fault.only === 'pages') return undefined;
  const handling = { ...fault, ...fault.numbers };
  if (!pausesNumbers(handling)) return handling;
  return { ...handling, pauseSeconds: Math.max(ENDPOINT_PAUSE_SECONDS, handling.pauseSeconds) };
}

/** True for a response after which no numbers are requested for a minute, then twice as long each time. */
export function pausesNumbers({ cold }: Handling): boolean {
  return typeof cold === 'string' && statsEndpoint.pauses.codes.includes(cold);
}

/** True for the error of a response that stops the calls to all endpoints. */
export function pausesAccount({ cold }: Handling): boolean {
  return (
    cold === 'UPSTREAM_UNAUTHENTICATED' ||
    cold === 'UPSTREAM_QUOTA_EXCEEDED' ||
    cold === 'UPSTREAM_RATE_LIMITED'
  );
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

/** A row of numbers as KeyAPI sends it. */
export type NumbersRow = Readonly<Record<string, unknown>>;

/** Serves numbers on all videos that are asked for: 1000 views for each rank. `change` may replace the payload. */
export function serveNumbers(change: (rows: readonly NumbersRow[]) => unknown = (rows) => rows): Handler {
  return (request, response) => {
    const data = change(videoIdsOf(request).map(makeNumbers));
    reply({ code: 0, message: 'success', data })(request, response);
  };
}

function makeNumbers(id: string): NumbersRow {
  return { video_id: id, create_time: '1773831925', total_views_cnt: Number(id) * 1000 };
}

function videoIdsOf({ url }: IncomingMessage): string[] {
  return new URL(url ?? '', 'http://localhost').searchParams.get('video_ids')?.split(',') ?? [];
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
const EMPTY = { cold: [], requests: 1, pauseSeconds: 60, isRefusedOverRows: true, only: 'pages' } as const;
/** Flaws that are fixed or ignored. */
const USABLE = { cold: range(1, 5), requests: 1, pauseSeconds: 0, only: 'pages' } as const;
const USABLE_NUMBERS = { cold: BATCH, requests: 1, pauseSeconds: 0, only: 'numbers' } as const;
const REFUSED = {
  cold: 'BAD_USER_INPUT',
  requests: 1,
  pauseSeconds: 600,
  // A batch is halved until each video was refused alone.
  numbers: { cold: [], requests: 2 * MAX_BATCH - 1 },
} as const;

/** The fault matrix. */
export const FAULTS: readonly Fault[] = [
  { name: '400', handler: refusal(400), ...REFUSED },
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
  { name: '200 with `code: 400`', handler: refusal(400, 200), ...REFUSED },
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
  {
    name: '`data: []`',
    handler: reply({ code: 0, message: 'success', data: [] }),
    ...UNREADABLE,
    // None of the videos is known.
    numbers: { cold: [], pauseSeconds: 0, stalePauseSeconds: 60 },
  },
  {
    name: 'no `pagination`',
    handler: reply({ code: 0, data: { videos: [] } }),
    ...UNREADABLE,
    only: 'pages',
  },
  {
    name: 'a different page than requested',
    handler: reply(makeSuccess([], { has_more: true, limit: 20, page: 7, total_count: 100 })),
    ...UNREADABLE,
    only: 'pages',
  },
  {
    name: 'a redirect to another host',
    handler: reply('', 302, { location: 'http://localhost:9/elsewhere' }),
    ...UNREADABLE,
  },
  {
    name: 'a redirect, `Retry-After: 100`',
    handler: reply('', 302, { location: 'http://localhost:9/elsewhere', 'retry-after': '100' }),
    ...UNREADABLE,
    pauseSeconds: 100,
    saysRetryAfter: true,
  },
  {
    name: 'a redirect in a loop',
    handler: (request, response) => reply('', 307, { location: request.url ?? '' })(request, response),
    ...UNREADABLE,
  },
  {
    name: 'no videos and `total_count: 0`: KeyAPI sends no data for the chart any more',
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
  {
    name: 'videos that KeyAPI does not know are absent',
    handler: serveNumbers((rows) => rows.slice(3)),
    ...USABLE_NUMBERS,
    cold: BATCH.slice(3),
  },
  {
    name: 'a single object in place of a list',
    handler: serveNumbers(([row]) => row),
    ...USABLE_NUMBERS,
    cold: [1],
  },
  {
    name: 'counts sent as text',
    handler: serveNumbers((rows) =>
      rows.map((row) => ({ ...row, total_views_cnt: String(row.total_views_cnt) })),
    ),
    ...USABLE_NUMBERS,
  },
  {
    name: 'rows in another order',
    handler: serveNumbers((rows) => [...rows].reverse()),
    ...USABLE_NUMBERS,
  },
  {
    name: 'null and malformed rows among the others',
    handler: serveNumbers((rows) => [null, 'row', {}, ...rows.slice(3)]),
    ...USABLE_NUMBERS,
    cold: BATCH.slice(3),
  },
  {
    name: 'rows of other videos, too',
    handler: serveNumbers((rows) => [makeNumbers('901'), ...rows, makeNumbers('902')]),
    ...USABLE_NUMBERS,
  },
  {
    name: 'rows of other videos only',
    handler: serveNumbers(() => [makeNumbers('901'), makeNumbers('902')]),
    ...UNREADABLE,
    only: 'numbers',
  },
  {
    name: 'no row that can be read',
    handler: serveNumbers((rows) => rows.map(() => null)),
    ...UNREADABLE,
    only: 'numbers',
  },
  {
    name: 'a list in place of a row',
    handler: serveNumbers((rows) => [rows]),
    ...UNREADABLE,
    only: 'numbers',
  },
  {
    name: '`__proto__` among the keys of a row',
    handler: (request, response) => {
      const body = JSON.stringify({ code: 0, data: videoIdsOf(request).map(makeNumbers) });
      response.writeHead(200, JSON_TYPE);
      response.end(body.replaceAll('{', '{"__proto__":{"total_views_cnt":1,"polluted":true},'));
    },
    ...USABLE_NUMBERS,
  },
];
