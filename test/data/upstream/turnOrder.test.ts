import { describe, expect, it } from '@jest/globals';
import { createTurnOrder, toPriority } from '../../../src/data/upstream/turnOrder.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { statsEndpoint } from '../../../src/domain/videoStats.ts';
import { createCall, settle } from '../../support/cache.ts';

describe('createTurnOrder', () => {
  it('lets a call go first while none of a higher priority waits', () => {
    const order = createTurnOrder();
    const low = order.enter(1);
    const alsoLow = order.enter(1);
    expect([low, alsoLow].map((place) => place.isFirst())).toEqual([true, true]);
    const high = order.enter(2);
    expect([low, alsoLow, high].map((place) => place.isFirst())).toEqual([false, false, true]);
    high.leave();
    expect([low, alsoLow].map((place) => place.isFirst())).toEqual([true, true]);
  });

  it('reports once that a call has left', async () => {
    const order = createTurnOrder();
    const low = order.enter(1);
    const high = order.enter(2);
    let changes = 0;
    const count = async (): Promise<void> => {
      await low.changed();
      changes++;
    };
    void count();
    await settle();
    expect(changes).toBe(0);
    high.leave();
    await settle();
    expect(changes).toBe(1);
    void count();
    high.leave();
    await settle();
    expect(changes).toBe(1);
  });

  it('lets pages go before numbers, and operations before refreshes', () => {
    const calls = [createCall(), createCall({ background: true })];
    const priorities = calls.flatMap((call) =>
      [pageEndpoint, statsEndpoint].map((endpoint) => toPriority(call, endpoint)),
    );
    expect(priorities).toEqual([...new Set(priorities)].sort((one, other) => other - one));
    expect(priorities).toHaveLength(4);
  });
});
