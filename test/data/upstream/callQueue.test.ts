import { describe, expect, it } from '@jest/globals';
import { createCallQueue } from '../../../src/data/upstream/callQueue.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall, settle } from '../../support/cache.ts';
import { codeOf, createEvents, createHeldSource, key, page } from '../../support/sources.ts';

describe('createCallQueue', () => {
  it('runs at most `concurrency` fetches at once, and starts the next when one succeeds or fails', async () => {
    const { source, started, calls } = createHeldSource();
    const { onEvent } = createEvents();
    const limited = createCallQueue({ concurrency: 2, maxWaiting: 10, onEvent })(source, pageEndpoint);
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
    const limited = createCallQueue({ concurrency: 1, maxWaiting: 4, onEvent })(source, pageEndpoint);
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
    const limited = createCallQueue({ concurrency: 1, maxWaiting: 10, onEvent: createEvents().onEvent })(
      source,
      pageEndpoint,
    );
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
});
