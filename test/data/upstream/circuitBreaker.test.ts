import { describe, expect, it } from '@jest/globals';
import type { OnDataEvent } from '../../../src/data/events.ts';
import { createAccountBreaker, createEndpointBreaker } from '../../../src/data/upstream/circuitBreaker.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import type { Page } from '../../../src/domain/page.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import type { Call } from '../../../src/domain/source.ts';
import { createCall, settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import {
  codeOf,
  createEvents,
  createHeldSource,
  createScript,
  key,
  type PageSource,
  page,
  sent,
} from '../../support/sources.ts';

/** A source with the circuit breakers of the account and of its endpoint. */
function withBreakers(source: PageSource, options: { clock: Clock; onEvent: OnDataEvent }) {
  const account = createAccountBreaker(options);
  const endpoint = createEndpointBreaker(pageEndpoint, options);
  const fetch = account.protect(endpoint.protect(source), pageEndpoint);
  return { fetch, account, endpoint };
}

describe('circuit breakers', () => {
  function createBreaker(source: PageSource) {
    const clock = createTestClock();
    const { events, onEvent } = createEvents();
    const { fetch, account, endpoint } = withBreakers(source, { clock, onEvent });
    const ask = (number = 1, options: Partial<Call> = {}) => codeOf(fetch(key(number), createCall(options)));
    return { clock, events, fetch, ask, account, endpoint };
  }
  const failure = new ApiError('UPSTREAM_ERROR');

  async function askTimes(ask: () => Promise<string>, times: number): Promise<string[]> {
    const codes: string[] = [];
    for (let time = 0; time < times; time++) codes.push(await ask());
    return codes;
  }

  it.each(['UPSTREAM_ERROR', 'UPSTREAM_TIMEOUT', 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_BAD_RESPONSE'] as const)(
    'opens for 30 s after 5 failures in a row with %s',
    async (code) => {
      const { source, bill } = createScript(...Array.from({ length: 5 }, () => new ApiError(code)), page);
      const { clock, events, ask } = createBreaker(source);
      expect(await askTimes(ask, 7)).toEqual([
        ...Array(5).fill(code),
        'UPSTREAM_UNAVAILABLE',
        'UPSTREAM_UNAVAILABLE',
      ]);
      expect(bill).toHaveLength(5);
      clock.advance(29_999);
      expect(await ask()).toBe('UPSTREAM_UNAVAILABLE');
      clock.advance(1);
      expect(await ask()).toBe('ok');
      expect(bill).toHaveLength(6);
      const endpoint = pageEndpoint.name;
      expect(events).toEqual([
        { type: 'circuitOpened', endpoint, code: 'UPSTREAM_UNAVAILABLE', seconds: 30 },
        { type: 'circuitClosed', endpoint },
      ]);
    },
  );

  it('counts failures after which upstream asks for a pause, which may then be longer than that', async () => {
    const upstream = { status: 503, code: null, requestId: null };
    const busy = (retryAfterSeconds: number) =>
      new ApiError('UPSTREAM_ERROR', { upstream, retryAfterSeconds });
    const { source, bill } = createScript(...Array(6).fill(busy(1)), busy(60), page);
    const { clock, ask } = createBreaker(source);
    const seconds: number[] = [];
    for (let second = 0; second < 150; second++) {
      const callsBefore = bill.length;
      await ask();
      if (bill.length > callsBefore) seconds.push(second);
      clock.advance(1000);
    }
    // Every second, until 5 have failed; then the probes.
    expect(seconds.slice(0, 8)).toEqual([0, 1, 2, 3, 4, 34, 64, 124]);
  });

  it('opens for 30 s when a probe of the account fails, also after a pause of the endpoint', async () => {
    const upstream = { status: 503, code: null, requestId: null };
    const busy = new ApiError('UPSTREAM_ERROR', { upstream, retryAfterSeconds: 1 });
    const limited = new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 1 });
    const { source, bill } = createScript(busy, limited, failure, page);
    const { clock, ask } = createBreaker(source);
    for (const code of ['UPSTREAM_ERROR', 'UPSTREAM_RATE_LIMITED', 'UPSTREAM_ERROR']) {
      expect(await ask()).toBe(code);
      clock.advance(1000);
    }
    expect(await ask()).toBe('UPSTREAM_UNAVAILABLE');
    clock.advance(29_000);
    expect(await ask()).toBe('ok');
    expect(bill).toHaveLength(4);
  });

  it('goes on without probing when a pause is over that upstream asked for', async () => {
    const upstream = { status: 503, code: null, requestId: null };
    const busy = new ApiError('UPSTREAM_ERROR', { upstream, retryAfterSeconds: 1 });
    const { source, bill } = createScript(busy, failure, page);
    const { clock, ask, events } = createBreaker(source);
    await ask();
    clock.advance(1000);
    expect([await ask(), await ask()]).toEqual(['UPSTREAM_ERROR', 'ok']);
    expect(bill).toHaveLength(3);
    expect(events.map(({ type }) => type)).toEqual(['circuitOpened', 'circuitClosed']);
  });

  it('counts failures in a row: a success or a 404 resets the count', async () => {
    const notFound = new ApiError('UPSTREAM_BAD_RESPONSE', {
      upstream: { status: 404, code: null, requestId: null },
    });
    const { source } = createScript(
      failure,
      failure,
      failure,
      failure,
      page,
      failure,
      failure,
      failure,
      failure,
      notFound,
      failure,
    );
    const { events, ask } = createBreaker(source);
    await askTimes(ask, 14);
    expect(events).toEqual([]);
    await ask();
    expect(events).toHaveLength(1);
  });

  it.each([
    ['UPSTREAM_UNAUTHENTICATED', undefined, 60],
    ['UPSTREAM_QUOTA_EXCEEDED', undefined, 60],
    ['UPSTREAM_FORBIDDEN', undefined, 60],
    ['UPSTREAM_RATE_LIMITED', 7, 7],
  ] as const)(
    'rejects all calls after one %s, then sends a single probe',
    async (code, retryAfterSeconds, seconds) => {
      const refusal = new ApiError(code, { retryAfterSeconds });
      const { source, bill } = createScript(refusal, refusal, page);
      const { clock, ask } = createBreaker(source);
      expect(await askTimes(() => ask(1), 1)).toEqual([code]);
      expect(await ask(2)).toBe(code);
      clock.advance(seconds * 1000 - 1);
      expect(await ask(3)).toBe(code);
      clock.advance(1);
      expect(await Promise.all([ask(4), ask(5)])).toEqual([code, code]);
      expect(bill).toEqual([1, 4]);
      clock.advance(seconds * 1000);
      expect(await Promise.all([ask(6), ask(7)])).toEqual(['ok', 'ok']);
      expect(bill).toEqual([1, 4, 6, 7]);
    },
  );

  it('rejects calls with the seconds that are left until the next probe', async () => {
    const limited = new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 60 });
    const { clock, fetch, ask } = createBreaker(createScript(limited).source);
    await ask();
    clock.advance(12_500);
    await expect(fetch(key(), createCall())).rejects.toMatchObject({ retryAfterSeconds: 48 });
  });

  it('sends one probe while the other calls wait for its outcome', async () => {
    const { source, started, calls } = createHeldSource();
    const { clock, ask } = createBreaker(source);
    const failing = range(1, 5).map((number) => ask(number));
    await settle();
    for (const { reject } of calls) reject(failure);
    await Promise.all(failing);
    clock.advance(30_000);

    const waiting = [6, 7, 8].map((number) => ask(number));
    await settle();
    expect(started).toEqual([1, 2, 3, 4, 5, 6]);
    calls[5]?.reject(failure);
    expect(await Promise.all(waiting)).toEqual([
      'UPSTREAM_ERROR',
      'UPSTREAM_UNAVAILABLE',
      'UPSTREAM_UNAVAILABLE',
    ]);

    clock.advance(30_000);
    const again = [9, 10].map((number) => ask(number));
    await settle();
    expect(started.slice(6)).toEqual([9]);
    calls[6]?.resolve(page);
    await settle();
    expect(started.slice(6)).toEqual([9, 10]);
    calls[7]?.resolve(page);
    expect(await Promise.all(again)).toEqual(['ok', 'ok']);
  });

  it('ignores the outcome of a probe that was never sent', async () => {
    const clock = createTestClock();
    const outcomes: ('unsent' | ApiError | Page)[] = [...Array<ApiError>(5).fill(failure), 'unsent', page];
    const source: PageSource = async (_key, { onSent }) => {
      const outcome = outcomes.shift() ?? page;
      if (outcome === 'unsent') throw new ApiError('CREDIT_BUDGET_EXHAUSTED');
      onSent();
      if (outcome instanceof ApiError) throw sent(outcome);
      return outcome;
    };
    const { events, onEvent } = createEvents();
    const { fetch } = withBreakers(source, { clock, onEvent });
    const ask = () => codeOf(fetch(key(), createCall()));
    await askTimes(ask, 5);
    clock.advance(30_000);
    expect(await ask()).toBe('CREDIT_BUDGET_EXHAUSTED');
    expect(events).toHaveLength(1);
    expect(await ask()).toBe('ok');
    expect(events.at(-1)).toEqual({ type: 'circuitClosed', endpoint: pageEndpoint.name });
  });

  it('stops calls that are waiting in an inner layer when it opens', async () => {
    const turns: (() => void)[] = [];
    const bill: number[] = [];
    const source: PageSource = async ({ number }, { signal, onSent }) => {
      await new Promise<void>((resolve) => void turns.push(resolve));
      signal?.throwIfAborted();
      onSent();
      bill.push(number);
      throw sent(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    };
    const { ask } = createBreaker(source);
    const outcomes = range(1, 3).map((number) => ask(number));
    for (const turn of turns) {
      turn();
      await settle();
    }
    expect(await Promise.all(outcomes)).toEqual(Array(3).fill('UPSTREAM_QUOTA_EXCEEDED'));
    expect(bill).toEqual([1]);
  });

  it('is not closed by the response to a call that was sent before it opened', async () => {
    const { source, calls } = createHeldSource();
    const { ask } = createBreaker(source);
    const [slow, refused] = [ask(1), ask(2)];
    await settle();
    calls[1]?.reject(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    await refused;
    calls[0]?.resolve(page);
    expect(await slow).toBe('ok');
    expect(await ask(3)).toBe('UPSTREAM_QUOTA_EXCEEDED');
  });

  it('is not closed by a probe that was sent before it opened again', async () => {
    const { source, calls } = createHeldSource();
    const { clock, ask, events } = createBreaker(source);
    const limited = (retryAfterSeconds: number) =>
      new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds });
    const [slow, refused] = [ask(1), ask(2)];
    await settle();
    calls[1]?.reject(limited(1));
    await refused;
    clock.advance(1000);
    const probe = ask(3);
    await settle();
    calls[0]?.reject(limited(60));
    await slow;
    calls[2]?.resolve(page);
    expect(await probe).toBe('ok');
    expect(await ask(4)).toBe('UPSTREAM_RATE_LIMITED');
    expect(events.map(({ type }) => type)).toEqual(['circuitOpened', 'circuitOpened']);
  });

  it('stays open for the longer time when a later error asks for a shorter one', async () => {
    const { source, calls } = createHeldSource();
    const { clock, ask } = createBreaker(source);
    const both = [ask(1), ask(2)];
    await settle();
    calls[0]?.reject(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
    await settle();
    calls[1]?.reject(new ApiError('UPSTREAM_RATE_LIMITED', { retryAfterSeconds: 5 }));
    await Promise.all(both);
    clock.advance(6000);
    expect(await ask(3)).toBe('UPSTREAM_QUOTA_EXCEEDED');
  });

  it('opens for 30 s when the probe fails, whatever opened it before', async () => {
    const { source, bill } = createScript(new ApiError('UPSTREAM_QUOTA_EXCEEDED'), failure, page);
    const { clock, fetch, ask } = createBreaker(source);
    await ask();
    clock.advance(60_000);
    expect(await ask()).toBe('UPSTREAM_ERROR');
    clock.advance(20_000);
    await expect(fetch(key(), createCall())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      retryAfterSeconds: 10,
    });
    clock.advance(10_000);
    expect(await ask()).toBe('ok');
    expect(bill).toHaveLength(3);
  });

  it('is closed when upstream responds to the probe, even with a 404', async () => {
    const upstream = { status: 404, code: null, requestId: null };
    const { source, bill } = createScript(
      new ApiError('UPSTREAM_QUOTA_EXCEEDED'),
      new ApiError('UPSTREAM_BAD_RESPONSE', { upstream }),
      page,
    );
    const { clock, ask } = createBreaker(source);
    await ask();
    clock.advance(60_000);
    expect([await ask(), await ask()]).toEqual(['UPSTREAM_BAD_RESPONSE', 'ok']);
    expect(bill).toHaveLength(3);
  });

  it.each([
    { status: 200, code: null, requestId: null },
    { status: 200, code: 0, requestId: 'req-1' },
    { status: 302, code: null, requestId: null },
  ])('stays closed for responses that cannot be read (%j): other pages may be fine', async (upstream) => {
    const unreadable = new ApiError('UPSTREAM_BAD_RESPONSE', { upstream });
    const { source } = createScript(...Array(9).fill(unreadable), page);
    const { ask, events } = createBreaker(source);
    expect((await askTimes(ask, 10)).at(-1)).toBe('ok');
    expect(events).toEqual([]);
  });

  it('opens after 5 calls in a row that got no connection', async () => {
    let calls = 0;
    const { ask } = createBreaker(async () => {
      calls++;
      throw new ApiError('UPSTREAM_UNAVAILABLE', { hadNoConnection: true });
    });
    expect(await askTimes(ask, 7)).toEqual(Array(7).fill('UPSTREAM_UNAVAILABLE'));
    expect(calls).toBe(5);
  });

  it.each([
    ['UPSTREAM_ERROR', 503],
    ['UPSTREAM_BAD_RESPONSE', 302],
  ] as const)('lets the endpoint alone wait for the pause that %s (%i) asks for', async (code, status) => {
    const upstream = { status, code: null, requestId: null };
    const busy = new ApiError(code, { upstream, retryAfterSeconds: 7 });
    const { source, bill } = createScript(busy, page);
    const { clock, ask, fetch, account } = createBreaker(source);
    await ask();
    clock.advance(2000);
    await expect(fetch(key(2), createCall())).rejects.toMatchObject({ code, retryAfterSeconds: 5 });
    expect(account.circuit.state()).toEqual([]);
    clock.advance(4999);
    expect(await ask(3)).toBe(code);
    clock.advance(1);
    expect(await ask(4)).toBe('ok');
    expect(bill).toEqual([1, 4]);
  });

  it('measures elapsed time, and ignores jumps of the wall clock', async () => {
    const { source } = createScript(new ApiError('UPSTREAM_QUOTA_EXCEEDED'), page);
    const { clock, ask } = createBreaker(source);
    await ask();
    clock.jump(3_600_000);
    expect(await ask()).toBe('UPSTREAM_QUOTA_EXCEEDED');
    clock.jump(-7_200_000);
    clock.advance(60_000);
    expect(await ask()).toBe('ok');
  });
});
