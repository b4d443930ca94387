import { ApiError } from '../../domain/errors.ts';
import type { PageKey } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';

/** Tells that a page is not asked for because its turn would never come, and gives the error that says so. */
export function shed({ chart, number }: PageKey, onEvent: OnDataEvent): ApiError {
  onEvent({ type: 'pageShed', chart, page: number });
  return new ApiError('UPSTREAM_UNAVAILABLE', {
    message: 'Too many requests to the data provider are waiting.',
  });
}
