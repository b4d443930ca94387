import type { PageRanks } from '../../src/domain/ranks.ts';
import { DAY_MS } from '../../src/domain/utcDay.ts';

/** A page of ranks; null for a row that could not be read. By default fetched at the start of its UTC day. */
export function makeRanks(
  itemIds: readonly (string | null)[],
  { firstRank = 1, sequence = 1, fetchedAt = DAY_MS }: Partial<PageRanks> = {},
): PageRanks {
  return { firstRank, itemIds: itemIds.map((id) => id ?? '').join(','), sequence, fetchedAt };
}
