import { ApiError } from '../../domain/errors.ts';
import type { PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { OnDataEvent } from '../events.ts';
import type { CreditBudget } from './creditBudget.ts';
import { watchSending } from './watchSending.ts';

/**
 * Reserves the credits of each call, and releases them when no request is sent. While all credits that are left are
 * reserved for other calls, it waits until one of those is sent or not.
 *
 * @throws {ApiError} `CREDIT_BUDGET_EXHAUSTED`, with the seconds until the UTC day ends, when the credits are spent.
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
