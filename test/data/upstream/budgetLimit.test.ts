import { expect, it } from '@jest/globals';
import { createBudgetLimit } from '../../../src/data/upstream/budgetLimit.ts';
import { createCreditBudget } from '../../../src/data/upstream/creditBudget.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { pageEndpoint } from '../../../src/domain/page.ts';
import { createCall, settle } from '../../support/cache.ts';
import { range } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import {
  codeOf,
  createEvents,
  createScript,
  key,
  type PageSource,
  page,
  sent,
} from '../../support/sources.ts';

/** A source with a credit budget, at noon UTC. */
function createSpender(source: PageSource, creditsPerDay = 10) {
  const clock = createTestClock(Date.UTC(2026, 0, 1, 12));
  const budget = createCreditBudget({ creditsPerDay, clock });
  const { events, onEvent } = createEvents();
  const fetch = createBudgetLimit(budget, onEvent)(source, pageEndpoint);
  return { budget, events, fetch: (number = 1) => fetch(key(number), createCall()) };
}

it('rejects calls beyond the budget, whatever the concurrency, and reports when the budget is renewed', async () => {
  let calls = 0;
  const { fetch, events } = createSpender(async (_key, { onSent }) => {
    await new Promise(setImmediate);
    onSent();
    calls++;
    return page;
  });
  const outcomes = await Promise.allSettled(range(1, 200).map(fetch));
  expect(calls).toBe(5);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'CREDIT_BUDGET_EXHAUSTED', retryable: true, retryAfterSeconds: 12 * 3600 },
  });
  expect(events).toHaveLength(195);
  expect(events[0]).toEqual({ type: 'budgetRefused', retryAfterSeconds: 12 * 3600 });
});

it('lets calls wait while the remaining credits are reserved for a call that may not use them', async () => {
  const turns: (() => void)[] = [];
  const bill: number[] = [];
  const { fetch } = createSpender(async ({ number }, { onSent }) => {
    await new Promise<void>((resolve) => void turns.push(resolve));
    if (number === 1) throw new ApiError('UPSTREAM_UNAVAILABLE');
    onSent();
    bill.push(number);
    return page;
  }, 2);
  const outcomes = Promise.all([1, 2, 3].map((number) => codeOf(fetch(number))));
  await settle();
  expect(turns).toHaveLength(1);
  turns[0]?.();
  await settle();
  turns[1]?.();
  expect(await outcomes).toEqual(['UPSTREAM_UNAVAILABLE', 'ok', 'CREDIT_BUDGET_EXHAUSTED']);
  expect(bill).toEqual([2]);
});

it('does not make a call that is no longer wanted when credits become available', async () => {
  const { source, bill } = createScript(page);
  const { onEvent } = createEvents();
  const budget = createCreditBudget({ creditsPerDay: 2, clock: createTestClock() });
  budget.reserve(2);
  const controller = new AbortController();
  const waiting = codeOf(
    createBudgetLimit(budget, onEvent)(source, pageEndpoint)(
      key(3),
      createCall({ signal: controller.signal }),
    ),
  );
  await settle();
  controller.abort(new ApiError('UPSTREAM_QUOTA_EXCEEDED'));
  budget.release(2);
  expect(await waiting).toBe('UPSTREAM_QUOTA_EXCEEDED');
  expect(bill).toEqual([]);
});

it('spends the credits of a failed call, since it may have been billed', async () => {
  const { fetch } = createSpender(async (_key, { onSent }) => {
    onSent();
    throw sent(new ApiError('UPSTREAM_TIMEOUT'));
  }, 2);
  expect([await codeOf(fetch()), await codeOf(fetch())]).toEqual([
    'UPSTREAM_TIMEOUT',
    'CREDIT_BUDGET_EXHAUSTED',
  ]);
});

it('releases the credits of a call that was never sent', async () => {
  const { fetch, budget } = createSpender(async () => {
    throw new ApiError('UPSTREAM_UNAVAILABLE');
  }, 2);
  for (let time = 0; time < 3; time++) expect(await codeOf(fetch())).toBe('UPSTREAM_UNAVAILABLE');
  expect(budget.reserve(2)).toBe(true);
});
