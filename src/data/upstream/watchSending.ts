import type { FetchOptions } from '../../domain/page.ts';

/**
 * Fetch options that record whether a request was sent. One that was not has cost nothing, and says nothing about
 * upstream.
 */
export function watchSending(options: FetchOptions): {
  readonly watched: FetchOptions;
  readonly isSent: () => boolean;
} {
  let isSent = false;
  const onRequest = (): void => {
    isSent = true;
    options.onRequest();
  };
  return { watched: { ...options, onRequest }, isSent: () => isSent };
}
