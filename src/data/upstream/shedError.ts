import type { Endpoint } from '../../domain/endpoint.ts';
import { ApiError } from '../../domain/errors.ts';
import type { OnDataEvent } from '../events.ts';

/** Emits that a call is not made because its turn would come too late, and returns the error to throw. */
export function createShedError<Key>(endpoint: Endpoint<Key>, key: Key, onEvent: OnDataEvent): ApiError {
  onEvent({ type: 'callShed', endpoint: endpoint.name, key: endpoint.describe(key) });
  return new ApiError('UPSTREAM_UNAVAILABLE', {
    message: 'Too many requests to the data provider are waiting.',
  });
}
