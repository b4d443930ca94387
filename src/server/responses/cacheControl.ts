import type { Freshness } from '../../graphql/execution/operationResult.ts';

/** What browsers, and caches between them and this server, may do with a response. */
export interface HttpCaching {
  readonly freshness: Pick<Freshness, 'freshUntil' | 'staleUntil'>;
  /** `private`: only the browser that receives the response may store it. */
  readonly scope: 'public' | 'private';
  /** Whether shared caches may send it to other clients, too. */
  readonly isReplayed: boolean;
}

/**
 * Creates the function that writes `Cache-Control` of a response that is sent at `now`, on the clock that pages expire by. It has
 * the time that is left, so that no `Age` is needed: some caches ignore it. A cache may serve the response stale for as long as
 * this server would, both while it asks for a new one and while this server is unavailable.
 */
export function createCacheControl(caching: HttpCaching | undefined): (now: number) => string {
  if (!caching) return () => 'no-store';
  const { scope, freshness } = caching;
  const { freshUntil, staleUntil } = freshness;
  // The same for a second: writing it takes longer than comparing its numbers.
  let last = { fresh: -1, stale: -1, text: '' };
  return (now) => {
    const fresh = toSeconds(freshUntil - now);
    const stale = toSeconds(staleUntil - Math.max(freshUntil, now));
    if (fresh !== last.fresh || stale !== last.stale) {
      const text = `${scope}, max-age=${fresh}, stale-while-revalidate=${stale}, stale-if-error=${stale}`;
      last = { fresh, stale, text };
    }
    return last.text;
  };
}

function toSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
