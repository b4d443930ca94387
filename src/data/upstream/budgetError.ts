import { ApiError } from '../../domain/errors.ts';
import type { OnDataEvent } from '../events.ts';

/** Emits that a call is not made because the day's credits are spent, and returns the error to throw. */
export function createBudgetError(retryAfterSeconds: number, onEvent: OnDataEvent): ApiError {
  onEvent({ type: 'budgetRefused', retryAfterSeconds });
  return new ApiError('CREDIT_BUDGET_EXHAUSTED', { retryAfterSeconds });
}
