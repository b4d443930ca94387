import type { FetchOptions } from '../../domain/page.ts';

/** Options that note whether a request was sent: what was not has cost nothing and says nothing of upstream. */
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
