import type { OnDataEvent } from '../events.ts';
import type { AccountLimit } from './accountLimit.ts';
import { createBudgetError } from './budgetError.ts';
import type { CreditBudget } from './creditBudget.ts';

/**
 * Creates the limit of a day's credits. It reserves the credits of each call, and releases them when no request is
 * sent. While all credits that are left are reserved for other calls, a call waits until one of those is sent or
 * released. Rejects with `CREDIT_BUDGET_EXHAUSTED`, with the seconds until the UTC day ends, when the credits are
 * spent.
 */
export function createBudgetLimit(budget: CreditBudget, onEvent: OnDataEvent): AccountLimit {
  return (source, { credits }) =>
    async (key, call) => {
      while (!budget.reserve(credits)) {
        if (budget.isSpent(credits)) throw createBudgetError(budget.secondsLeft(), onEvent);
        await budget.changed();
        call.signal?.throwIfAborted();
      }
      let isReserved = true;
      const onSent = (): void => {
        isReserved = false;
        budget.spend(credits);
        call.onSent();
      };
      try {
        return await source(key, { ...call, onSent });
      } finally {
        if (isReserved) budget.release(credits);
      }
    };
}
