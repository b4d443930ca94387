import { MAX_TIME } from '../../domain/dateTime.ts';
import type { PageRanks } from '../../domain/ranks.ts';
import { isItemId } from '../../domain/trendingVideo.ts';

const TEXT = /^(\d{1,16}) (\d{1,15}) ([1-9]\d{0,6}) ([\d,]{0,2000})$/;

/** Encodes the ranks of a page as one line of text, for Redis and the history file: `sequence fetchedAt firstRank itemIds`. */
export function encodeRanks({ sequence, fetchedAt, firstRank, itemIds }: PageRanks): string {
  return `${sequence.toFixed()} ${fetchedAt.toFixed()} ${firstRank.toFixed()} ${itemIds satisfies string}`;
}

/** Decodes the text of a page's ranks; undefined for any text that `encodeRanks` cannot have written. */
export function decodeRanks(text: string): Required<PageRanks> | undefined {
  const [, sequence, fetchedAt, firstRank, itemIds = ''] = TEXT.exec(text) ?? [];
  const ranks = {
    firstRank: Number(firstRank),
    itemIds,
    sequence: Number(sequence),
    fetchedAt: Number(fetchedAt),
  };
  const isValid = ranks.fetchedAt <= MAX_TIME && itemIds.split(',').every((id) => id === '' || isItemId(id));
  return isValid ? ranks : undefined;
}
