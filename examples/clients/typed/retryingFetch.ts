import type { ErrorExtensions } from './extensions.ts';

interface Body {
  /** Errors that are not from this API may have no extensions. */
  readonly errors?: readonly { readonly extensions?: ErrorExtensions }[];
}

const MAX_ATTEMPTS = 3;
const MAX_WAIT_SECONDS = 30;

/** `fetch`, which sends a request again while it has errors that are worth it. */
export const retryingFetch: typeof fetch = async (input, init) => {
  for (let attempt = 1; ; attempt++) {
    const response = await fetch(input, init);
    const body: Body = await response
      .clone()
      .json()
      .catch(() => ({}));
    const waits = (body.errors ?? [])
      .filter(({ extensions }) => extensions?.retryable)
      .map(({ extensions }) => extensions?.retryAfterSeconds ?? 2 ** attempt);
    const seconds = Math.max(...waits);
    if (waits.length === 0 || seconds > MAX_WAIT_SECONDS || attempt === MAX_ATTEMPTS) return response;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
};
