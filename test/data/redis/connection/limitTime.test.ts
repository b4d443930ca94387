import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { limitTime } from '../../../../src/data/redis/connection/limitTime.ts';
import { settle } from '../../../support/cache.ts';

describe('limitTime', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  it('rejects when the time is over, and not before', async () => {
    const outcomes: unknown[] = [];
    limitTime(new Promise(() => undefined), 150).catch((error) => outcomes.push(error.message));
    jest.advanceTimersByTime(149);
    await settle();
    expect(outcomes).toEqual([]);
    jest.advanceTimersByTime(1);
    await settle();
    expect(outcomes).toEqual(['no response within 150 ms']);
  });

  it('accepts a response that arrived while the event loop was blocked', async () => {
    let respond = (_text: string): void => undefined;
    const response = new Promise<string>((resolve) => {
      respond = resolve;
    });
    const limited = limitTime(response, 150);
    // The timer fires first; then the response is read from the socket.
    jest.advanceTimersByTime(1000);
    respond('late');
    expect(await limited).toBe('late');
  });

  it('leaves no timer behind', async () => {
    await limitTime(Promise.resolve(), 150);
    await expect(limitTime(Promise.reject(new Error('no')), 150)).rejects.toThrow('no');
    await settle();
    expect(jest.getTimerCount()).toBe(0);
  });
});
