import { ApiError } from '../../domain/errors.ts';
import type { PageKey } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';

/** Emits that a page is not requested because its turn would come too late, and returns the error to throw. */
export function createShedError({ chart, number }: PageKey, onEvent: OnDataEvent): ApiError {
  onEvent({ type: 'pageShed', chart, page: number });
  return new ApiError('UPSTREAM_UNAVAILABLE', {
    message: 'Too many requests to the data provider are waiting.',
  });
}
