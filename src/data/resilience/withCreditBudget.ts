import { ApiError } from '../../domain/errors.ts';
import type { PageSource } from '../../domain/page.ts';
import { CREDITS_PER_REQUEST } from '../../domain/upstreamCost.ts';
import type { OnDataEvent } from '../events.ts';
import type { CreditBudget } from './creditBudget.ts';

/**
 * Takes each call's credits out of the budget before it is made, and gives them back when it is not made after
 * all.
 *
 * @throws {ApiError} `CREDIT_BUDGET_EXHAUSTED`, with the seconds until the UTC day turns, when they are spent.
 */
export function withCreditBudget(source: PageSource, budget: CreditBudget, onEvent: OnDataEvent): PageSource {
  let refused = 0;

  function refuse(): ApiError {
    const retryAfterSeconds = budget.secondsLeft();
    onEvent({ type: 'budgetRefused', isFirst: refused++ === 0, retryAfterSeconds });
    return new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
  }

  return async (key, options) => {
    const reservation = budget.reserve(CREDITS_PER_REQUEST);
    if (!reservation) throw refuse();
    let isSent = false;
    const onRequest = (): void => {
      if (!reservation.confirm()) throw refuse();
      options.onRequest();
      isSent = true;
      refused = 0;
    };
    try {
      return await source(key, { ...options, onRequest });
    } finally {
      if (!isSent) reservation.release();
    }
  };
}
