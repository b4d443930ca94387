import { afterEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';
import { createTestClock, type TestClock } from '../../support/clock.ts';

const QUERY = '{ trendingVideos { totalCount } }';

let app: EmulatedApp;
let clock: TestClock;
let events: AppEvent[];

async function start(variables: Record<string, string> = {}): Promise<void> {
  clock = createTestClock();
  events = [];
  const onEvent = (event: AppEvent): void => void events.push(event);
  app = await startEmulatedApp({}, { RATE_LIMIT_PER_MINUTE: '2', ...variables }, { clock, onEvent });
}

/** Sends an operation; from `remoteAddress`, with these headers. */
async function post(headers: Record<string, string> = {}, remoteAddress = '192.0.2.1') {
  const payload = { query: QUERY };
  const response = await app.server.inject({
    method: 'POST',
    url: '/graphql',
    payload,
    headers,
    remoteAddress,
  });
  app.claimedElsewhere += response.json().extensions.upstream.requests;
  return response;
}

async function statuses(...requests: Parameters<typeof post>[]): Promise<number[]> {
  const found: number[] = [];
  for (const request of requests) found.push((await post(...request)).statusCode);
  return found;
}

describe('RATE_LIMIT_PER_MINUTE', () => {
  afterEach(() => app.close());

  it('is reported with every response, cached ones too; a request beyond it is a 429 with Retry-After', async () => {
    await start();
    const responses = [await post(), await post(), await post()];
    expect(responses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429]);
    expect(responses.map(({ headers }) => headers)).toMatchObject([
      { 'ratelimit-limit': '2', 'ratelimit-remaining': '1', 'ratelimit-reset': '61' },
      { 'ratelimit-limit': '2', 'ratelimit-remaining': '0', 'ratelimit-reset': '61' },
      {
        'ratelimit-limit': '2',
        'ratelimit-remaining': '0',
        'ratelimit-reset': '61',
        'retry-after': '61',
        'cache-control': 'no-store',
      },
    ]);
    expect(responses[2]?.json()).toEqual({
      errors: [
        {
          message: 'Expected at most 2 requests per minute (RATE_LIMIT_PER_MINUTE), but got more',
          extensions: { code: 'RATE_LIMITED', retryable: true, retryAfterSeconds: 61 },
        },
      ],
      extensions: { upstream: expect.objectContaining({ requests: 0, credits: 0 }) },
    });
    expect(events.filter(({ type }) => type === 'rateLimited')).toEqual([
      { type: 'rateLimited', client: '192.0.2.1' },
    ]);
    clock.advance(61_000);
    expect((await post()).statusCode).toBe(200);
  });

  it('counts every method and refused requests, but neither health checks nor CORS preflights', async () => {
    await start({ CORS_ORIGINS: 'https://a.example' });
    const preflight = { origin: 'https://a.example', 'access-control-request-method': 'POST' };
    for (let count = 0; count < 3; count++) {
      await app.server.inject('/readyz');
      await app.server.inject({ method: 'OPTIONS', url: '/graphql', headers: preflight });
    }
    const bad = await app.server.inject({
      method: 'POST',
      url: '/graphql',
      payload: '{',
      remoteAddress: '192.0.2.1',
    });
    expect(bad.statusCode).toBe(415);
    const head = await app.server.inject({ method: 'HEAD', url: '/graphql', remoteAddress: '192.0.2.1' });
    expect(head.headers['ratelimit-remaining']).toBe('0');
    const refused = await post({ origin: 'https://a.example' });
    expect(refused.statusCode).toBe(429);
    expect(refused.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example',
      'access-control-expose-headers':
        'X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, ETag',
    });
  });

  it('is off at 0', async () => {
    await start({ RATE_LIMIT_PER_MINUTE: '0' });
    expect(await statuses([], [], [], [])).toEqual([200, 200, 200, 200]);
    expect((await post()).headers['ratelimit-limit']).toBeUndefined();
  });

  it('applies to each address', async () => {
    await start();
    expect(await statuses([], [], [], [{}, '192.0.2.2'])).toEqual([200, 200, 429, 200]);
    const [one, other]: [string, string] = ['2001:db8::1', '2001:db8::2'];
    expect(await statuses([{}, one], [{}, other], [{}, one])).toEqual([200, 200, 429]);
  });

  it('applies to each key name, from any address; requests with wrong keys count by address', async () => {
    await start({ API_KEYS: 'board:0123456789,board:new-0123456789,bare-0123456789' });
    const [old, renewed, bare, wrong] = [
      '0123456789',
      'new-0123456789',
      'bare-0123456789',
      'wrong-0123456789',
    ].map((key) => ({ 'x-api-key': key }));
    expect(
      await statuses([old], [renewed, '192.0.2.2'], [renewed], [bare], [bare], [bare, '192.0.2.3']),
    ).toEqual([200, 200, 429, 200, 200, 429]);
    expect(await statuses([wrong], [], [wrong], [wrong, '192.0.2.2'])).toEqual([401, 401, 429, 401]);
    const clients = events.flatMap((event) => (event.type === 'rateLimited' ? [event.client] : []));
    expect(clients).toEqual(['board', expect.stringMatching(/^key-[0-9a-f]{8}$/), '192.0.2.1']);
    expect(JSON.stringify(events)).not.toContain('0123456789');
  });
});

describe('TRUST_PROXY', () => {
  const PROXY = '10.0.0.9';
  const forwarded = (list: string) => ({ 'x-forwarded-for': list });

  afterEach(() => app.close());

  it.each([
    ['false', '198.51.100.1', PROXY],
    ['0', '198.51.100.1', PROXY],
    ['true', '198.51.100.1, 10.0.0.8', '198.51.100.1'],
    ['1', '198.51.100.1', '198.51.100.1'],
    ['1', '203.0.113.7, 198.51.100.1', '198.51.100.1'],
    ['2', '203.0.113.7, 198.51.100.1, 10.0.0.8', '198.51.100.1'],
    ['10.0.0.0/8', '203.0.113.7, 198.51.100.1, 10.0.0.8', '198.51.100.1'],
    ['10.0.0.1', '198.51.100.1', PROXY],
    ['uniquelocal', '198.51.100.1', '198.51.100.1'],
    ['true', 'nonsense', PROXY],
    ['true', '203.0.113.7:4711, 10.0.0.8', '203.0.113.7'],
    ['1', '203.0.113.7:4711', '203.0.113.7'],
    ['1', '[2001:db8::1]:443', '2001:db8:0:0::/64'],
    ['2', '203.0.113.7:4711, 10.0.0.8:55', '203.0.113.7'],
    ['10.0.0.0/8', '198.51.100.1, 203.0.113.7:4711, 10.0.0.8:55', '203.0.113.7'],
    ['10.0.0.0/8', '198.51.100.1, 203.0.113.7, [::ffff:10.0.0.8]:55', '203.0.113.7'],
    ['uniquelocal', '198.51.100.1, [2001:db8::1], fd00::8', '2001:db8:0:0::/64'],
    ['uniquelocal', 'nonsense, 10.0.0.8:55', PROXY],
  ])('%s: for "X-Forwarded-For: %s" the client is %s', async (TRUST_PROXY, list, client) => {
    await start({ TRUST_PROXY, RATE_LIMIT_PER_MINUTE: '1' });
    expect(await statuses([forwarded(list), PROXY], [forwarded(list), PROXY])).toEqual([200, 429]);
    expect(events.filter(({ type }) => type === 'rateLimited')).toEqual([{ type: 'rateLimited', client }]);
  });

  it('counts a client by its address, whatever its port and however a proxy writes it; others by theirs', async () => {
    await start({ TRUST_PROXY: 'uniquelocal', RATE_LIMIT_PER_MINUTE: '4' });
    const spellings = ['203.0.113.9:4711', '203.0.113.9', '[::ffff:203.0.113.9]:4712', '::FFFF:cb00:7109'];
    const others = ['203.0.113.10:4711', '[2001:db8::1]:443'];
    const send = (list: string): Parameters<typeof post> => [forwarded(list), PROXY];
    expect(await statuses(...spellings.map(send), send('203.0.113.9:4713'), ...others.map(send))).toEqual([
      ...spellings.map(() => 200),
      429,
      ...others.map(() => 200),
    ]);
  });

  it('recognises a proxy that is connected by IPv6, as an IPv4 address too', async () => {
    await start({ TRUST_PROXY: 'uniquelocal', RATE_LIMIT_PER_MINUTE: '1' });
    const list = forwarded('203.0.113.9:4711');
    expect(await statuses([list, '::ffff:10.0.0.9'], [list, 'fd00::9'], [list, PROXY])).toEqual([
      200, 429, 429,
    ]);
  });
});
