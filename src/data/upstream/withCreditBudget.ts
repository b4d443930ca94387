import { ApiError } from '../../domain/errors.ts';
import type { PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { OnDataEvent } from '../events.ts';
import type { CreditBudget } from './creditBudget.ts';
import { watchSending } from './watchSending.ts';

/**
 * Sets each call's credits aside before it is made, and gives them back when it is not made after all. While
 * all that is left is set aside for other calls, it waits for what becomes of them.
 *
 * @throws {ApiError} `CREDIT_BUDGET_EXHAUSTED`, with the seconds until the UTC day turns, when they are spent.
 */
export function withCreditBudget(source: PageSource, budget: CreditBudget, onEvent: OnDataEvent): PageSource {
  return async (key, options) => {
    while (!budget.reserve(CREDITS_PER_REQUEST)) {
      if (budget.isSpent(CREDITS_PER_REQUEST)) {
        const retryAfterSeconds = budget.secondsLeft();
        onEvent({ type: 'budgetRefused', retryAfterSeconds });
        throw new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
      }
      await budget.changed();
      options.check();
    }
    const onRequest = (): void => {
      budget.spend(CREDITS_PER_REQUEST);
      options.onRequest();
    };
    const { watched, isSent } = watchSending({ ...options, onRequest });
    try {
      return await source(key, watched);
    } finally {
      if (!isSent()) budget.release(CREDITS_PER_REQUEST);
    }
  };
}
