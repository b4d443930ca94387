import { describe, expect, it } from '@jest/globals';
import { createCallQueue } from '../../../src/data/upstream/callQueue.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall, settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { codeOf, createEvents, createHeldSource, key, page } from '../../support/sources.ts';

describe('createCallQueue', () => {
  it('runs at most `concurrency` fetches at once, and starts the next when one succeeds or fails', async () => {
    const { source, started, calls } = createHeldSource();
    const { onEvent } = createEvents();
    const limited = createCallQueue({ concurrency: 2, maxWaiting: 10, onEvent }).protect(
      source,
      pageEndpoint,
    );
    const outcomes = Promise.all([1, 2, 3, 4].map((number) => codeOf(limited(key(number), createCall()))));
    await settle();
    expect(started).toEqual([1, 2]);
    calls[1]?.resolve(page);
    await settle();
    expect(started).toEqual([1, 2, 3]);
    calls[0]?.reject(new ApiError('UPSTREAM_ERROR'));
    await settle();
    expect(started).toEqual([1, 2, 3, 4]);
    for (const { resolve } of calls) resolve(page);
    expect(await outcomes).toEqual(['UPSTREAM_ERROR', 'ok', 'ok', 'ok']);
  });

  it('rejects operations when the queue is full, refreshes when it is half full, and emits events', async () => {
    const { source, calls } = createHeldSource();
    const { events, onEvent } = createEvents();
    const limited = createCallQueue({ concurrency: 1, maxWaiting: 4, onEvent }).protect(source, pageEndpoint);
    const ask = (number: number, background: boolean) =>
      codeOf(limited(key(number), createCall({ background })));
    const outcomes = [false, false, false, true, false, false, false].map((background, index) =>
      ask(index + 1, background),
    );
    await settle();
    for (let turn = 0; turn < 8; turn++) {
      for (const { resolve } of calls) resolve(page);
      await settle();
    }
    const unavailable = 'UPSTREAM_UNAVAILABLE';
    expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'ok', unavailable, 'ok', 'ok', unavailable]);
    expect(events).toEqual([
      { type: 'callShed', endpoint: 'trendingVideos', key: { chart: 'US:7:VIEWS', page: 4 } },
      { type: 'callShed', endpoint: 'trendingVideos', key: { chart: 'US:7:VIEWS', page: 7 } },
    ]);
  });

  it('starts the fetches of operations before refreshes', async () => {
    const { source, started, calls } = createHeldSource();
    const limited = createCallQueue({
      concurrency: 1,
      maxWaiting: 10,
      onEvent: createEvents().onEvent,
    }).protect(source, pageEndpoint);
    for (const number of [1, 2, 3]) {
      void limited(key(number), createCall({ background: number < 3 })).catch(() => undefined);
    }
    await settle();
    for (const turn of [0, 1]) {
      calls[turn]?.resolve(page);
      await settle();
    }
    expect(started).toEqual([1, 3, 2]);
    calls[2]?.resolve(page);
  });

  it('does not count calls of a lower priority against one that goes before them', async () => {
    const pages = createHeldSource();
    const numbers = createHeldSource();
    const { protect: limit } = createCallQueue({
      concurrency: 1,
      maxWaiting: 4,
      onEvent: createEvents().onEvent,
    });
    const fetchPage = limit(pages.source, pageEndpoint);
    const fetchOther = limit(numbers.source, { ...pageEndpoint, priority: 0 });
    void fetchPage(key(1), createCall()).catch(() => undefined);
    const outcomes = range(2, 7).map((number) => codeOf(fetchOther(key(number), createCall())));
    const page2 = codeOf(fetchPage(key(8), createCall()));
    await settle();
    pages.calls[0]?.resolve(page);
    await settle();
    expect(pages.started).toEqual([1, 8]);
    pages.calls[1]?.resolve(page);
    for (let turn = 0; turn < 5; turn++) {
      await settle();
      for (const { resolve } of numbers.calls) resolve(page);
    }
    expect(await page2).toBe('ok');
    const unavailable = 'UPSTREAM_UNAVAILABLE';
    expect(await Promise.all(outcomes)).toEqual(['ok', 'ok', 'ok', 'ok', unavailable, unavailable]);
  });

  it('is idle while no call is in flight or waiting', async () => {
    const { source, calls } = createHeldSource();
    const queue = createCallQueue({ concurrency: 1, maxWaiting: 10, onEvent: createEvents().onEvent });
    const limited = queue.protect(source, pageEndpoint);
    expect(queue.isIdle()).toBe(true);
    const first = codeOf(limited(key(1), createCall()));
    const second = codeOf(limited(key(2), createCall({ background: true })));
    expect(queue.isIdle()).toBe(false);
    await settle();
    calls[0]?.resolve(page);
    await first;
    expect(queue.isIdle()).toBe(false);
    await settle();
    calls[1]?.reject(new ApiError('UPSTREAM_ERROR'));
    await second;
    expect(queue.isIdle()).toBe(true);
  });
});
