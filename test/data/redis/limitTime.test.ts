import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { limitTime } from '../../../src/data/redis/limitTime.ts';
import { settle } from '../../support/cache.ts';

describe('limitTime', () => {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] }));
  afterEach(() => void jest.useRealTimers());

  it('gives up when the time is over, and not before', async () => {
    const outcomes: unknown[] = [];
    limitTime(new Promise(() => undefined), 150).catch((error) => outcomes.push(error.message));
    jest.advanceTimersByTime(149);
    await settle();
    expect(outcomes).toEqual([]);
    jest.advanceTimersByTime(1);
    await settle();
    expect(outcomes).toEqual(['no response within 150 ms']);
  });

  it('takes what had come while the event loop stood still', async () => {
    let answer = (_text: string): void => undefined;
    const answered = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const limited = limitTime(answered, 150);
    // The timer comes first, and then what lies in the socket.
    jest.advanceTimersByTime(1000);
    answer('late');
    expect(await limited).toBe('late');
  });

  it('leaves no timer behind', async () => {
    await limitTime(Promise.resolve(), 150);
    await expect(limitTime(Promise.reject(new Error('no')), 150)).rejects.toThrow('no');
    await settle();
    expect(jest.getTimerCount()).toBe(0);
  });
});
