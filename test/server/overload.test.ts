import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { AppEvent } from '../../src/logEvent.ts';
import { type Overload, watchOverload } from '../../src/server/protection/overload.ts';
import { type EmulatedApp, startEmulatedApp } from '../support/app.ts';

describe('a process that has too much to do', () => {
  const QUERY = '{ trendingVideos { totalCount } }';
  let app: EmulatedApp;
  let overload: Overload | undefined;

  const post = (query: string) => app.server.inject({ method: 'POST', url: '/graphql', payload: { query } });

  afterEach(() => app.close());

  it.each<[Overload, string]>([
    ['eventLoopDelay', 'MAX_EVENT_LOOP_DELAY_MS'],
    ['heap', 'MAX_HEAP_PERCENT'],
  ])('for its %s sends kept answers, and refuses all else for now', async (cause, variable) => {
    const events: AppEvent[] = [];
    overload = undefined;
    const onEvent = (event: AppEvent): void => void events.push(event);
    app = await startEmulatedApp({}, {}, { onEvent, checkOverload: () => overload });
    await app.query(QUERY);
    overload = cause;
    const [kept, refused] = [await post(QUERY), await post('{ __typename }')];
    expect([kept.statusCode, kept.json().data]).toEqual([200, { trendingVideos: { totalCount: 500 } }]);
    expect([refused.statusCode, refused.headers]).toMatchObject([
      503,
      { 'retry-after': '2', 'cache-control': 'no-store' },
    ]);
    expect(refused.json()).toEqual({
      errors: [
        {
          message: `This server has too much to do (${variable})`,
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

  it('is refused without RESPONSE_CACHE as well', async () => {
    app = await startEmulatedApp({}, { RESPONSE_CACHE: 'false' }, { checkOverload: () => 'heap' });
    expect((await post(QUERY)).statusCode).toBe(503);
  });
});

describe('the watch over the process', () => {
  // A busy machine is late by itself, though never by so much.
  const LIMITS = { eventLoopDelayMs: 1000, heapShare: 0.9 };
  let watch: ReturnType<typeof watchOverload>;

  /** Holds the event loop up. */
  function block(ms: number): void {
    const until = performance.now() + ms;
    while (performance.now() < until);
  }

  /** Waits for the watch to look. */
  const tick = () => sleep(700);

  afterEach(() => watch.close());

  it('sees that the event loop stood still, at once and until it has looked again', async () => {
    watch = watchOverload(LIMITS, () => 0);
    expect(watch.check()).toBeUndefined();
    block(1700);
    expect(watch.check()).toBe('eventLoopDelay');
    await sleep(1);
    expect(watch.check()).toBe('eventLoopDelay');
    await tick();
    expect(watch.check()).toBeUndefined();
  });

  it('sees that the heap is full, and lets one operation through at each look', async () => {
    let share = 0.95;
    watch = watchOverload({ ...LIMITS, eventLoopDelayMs: 10_000 }, () => share);
    await tick();
    expect([watch.check(), watch.check(), watch.check()]).toEqual([undefined, 'heap', 'heap']);
    share = 0.5;
    await tick();
    expect([watch.check(), watch.check()]).toEqual([undefined, undefined]);
  });

  it('takes the heap as it is for not full', async () => {
    watch = watchOverload({ ...LIMITS, eventLoopDelayMs: 10_000 }, performance.now);
    await tick();
    expect([watch.check(), watch.check()]).toEqual([undefined, undefined]);
  });
});
