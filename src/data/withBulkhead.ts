import { bulkhead } from 'cockatiel';
import type { PageSource } from '../domain/page.ts';

/**
 * Lets at most `limit` fetches through at once. The others wait for their turn, and neither cost
 * anything nor use up an attempt's deadline before it comes.
 */
export function withBulkhead(source: PageSource, limit: number): PageSource {
  const policy = bulkhead(limit, Number.POSITIVE_INFINITY);
  return (key, options) => policy.execute(() => source(key, options));
}
