import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { AppEvent } from '../../../src/observe/appEvent.ts';
import type { Overload } from '../../../src/server/events.ts';
import { watchOverload } from '../../../src/server/protection/overload.ts';
import { type EmulatedApp, startEmulatedApp } from '../../support/app.ts';

describe('an overloaded process', () => {
  const QUERY = '{ trendingVideos { totalCount } }';
  let app: EmulatedApp;
  let overload: Overload | undefined;

  const post = (query: string) => app.server.inject({ method: 'POST', url: '/graphql', payload: { query } });

  afterEach(() => app.close());

  it.each<[Overload, string]>([
    ['eventLoopDelay', 'MAX_EVENT_LOOP_DELAY_MS'],
    ['heap', 'MAX_HEAP_PERCENT'],
  ])('sends cached responses and refuses all other requests: %s', async (cause, variable) => {
    const events: AppEvent[] = [];
    overload = undefined;
    const onEvent = (event: AppEvent): void => void events.push(event);
    app = await startEmulatedApp({}, {}, { onEvent, checkOverload: () => overload });
    await app.query(QUERY);
    overload = cause;
    const [cached, refused] = [await post(QUERY), await post('{ __typename }')];
    expect([cached.statusCode, cached.json().data]).toEqual([200, { trendingVideos: { totalCount: 500 } }]);
    expect([refused.statusCode, refused.headers]).toMatchObject([
      503,
      { 'retry-after': '2', 'cache-control': 'no-store' },
    ]);
    expect(refused.json()).toEqual({
      errors: [
        {
          message: `This server is overloaded (${variable})`,
          extensions: { code: 'OVERLOADED', retryable: true, retryAfterSeconds: 2 },
        },
      ],
      extensions: { upstream: expect.objectContaining({ requests: 0, credits: 0 }) },
    });
    expect(events.filter(({ type }) => type === 'overloaded')).toEqual([
      { type: 'overloaded', overload: cause },
    ]);
    expect((await app.server.inject('/livez')).statusCode).toBe(200);
    overload = undefined;
    expect((await post('{ __typename }')).statusCode).toBe(200);
  });

  it('refuses requests without RESPONSE_CACHE too', async () => {
    app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { checkOverload: () => 'heap' });
    expect((await post(QUERY)).statusCode).toBe(503);
  });
});

describe('the overload watch', () => {
  const LIMITS = { eventLoopDelayMs: 1000, heapShare: 0.9 };
  let watch: ReturnType<typeof watchOverload>;
  let now: number;

  function start(readHeapShare?: () => number): void {
    now = 1;
    watch = watchOverload(LIMITS, () => now, readHeapShare);
  }

  /** Runs the next tick, `lateMs` late. */
  function tick(lateMs = 0): void {
    now += 500 + lateMs;
    jest.advanceTimersByTime(500);
  }

  beforeEach(() => void jest.useFakeTimers());

  afterEach(() => {
    watch.close();
    jest.useRealTimers();
  });

  it('reports a blocked event loop at once, and until a tick is on time again', () => {
    start(() => 0);
    expect(watch.check()).toBeUndefined();
    // No tick runs for 1.7 s.
    now += 1700;
    expect(watch.check()).toBe('eventLoopDelay');
    jest.advanceTimersByTime(500);
    expect(watch.check()).toBe('eventLoopDelay');
    tick();
    expect(watch.check()).toBeUndefined();
  });

  it('allows delays up to the limit', () => {
    start(() => 0);
    tick(1000);
    expect(watch.check()).toBeUndefined();
    tick(1001);
    expect(watch.check()).toBe('eventLoopDelay');
  });

  it('reports a full heap, but allows one operation per tick', () => {
    let share = 0.95;
    start(() => share);
    tick();
    expect([watch.check(), watch.check(), watch.check()]).toEqual([undefined, 'heap', 'heap']);
    tick();
    expect([watch.check(), watch.check()]).toEqual([undefined, 'heap']);
    share = 0.5;
    tick();
    expect([watch.check(), watch.check()]).toEqual([undefined, undefined]);
  });

  it('does not report the heap of the running process as full', () => {
    start();
    tick();
    expect([watch.check(), watch.check()]).toEqual([undefined, undefined]);
  });
});
