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
 * `Cache-Control` of a response that is sent at `now`, on the clock that pages expire by. It has the time that is left, so
 * that no `Age` is needed: some caches ignore it. A cache may serve the response stale for as long as this server would,
 * both while it asks for a new one and while this server is unavailable.
 */
export function toCacheControl(caching: HttpCaching | undefined, now: number): string {
  if (!caching) return 'no-store';
  const { scope, freshness } = caching;
  const { freshUntil, staleUntil } = freshness;
  const fresh = toSeconds(freshUntil - now);
  const stale = toSeconds(staleUntil - Math.max(freshUntil, now));
  return `${scope}, max-age=${fresh}, stale-while-revalidate=${stale}, stale-if-error=${stale}`;
}

function toSeconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1000));
}
