import { type ApiError, createEmptyResponseError } from '../../domain/errors.ts';
import { type PageKey, pageEndpoint } from '../../domain/page.ts';
import type { OnDataEvent } from '../events.ts';

/**
 * The error of an empty page for which rows are cached. KeyAPI's charts come from sources that can be retired, and then
 * it responds without an error and without videos: that must not replace a chart.
 */
export function createEmptyPageError(): ApiError {
  return createEmptyResponseError(
    'The data provider sent no videos for a chart that had videos before.',
    'The page is empty, although rows of it or of its chart are cached',
  );
}

/** Emits that an empty page is rejected, and returns the error to throw. */
export function reportEmptyPage(key: PageKey, onEvent: OnDataEvent): ApiError {
  onEvent({ type: 'emptyPage', endpoint: pageEndpoint.name, key: pageEndpoint.describe(key) });
  return createEmptyPageError();
}
