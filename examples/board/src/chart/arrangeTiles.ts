import type { ChartTileFragment } from '../generated/documents.ts';
import type { Sort } from '../page/place.ts';

type Edges = readonly ChartTileFragment[];

/** Labels of the sorts. */
export const SORT_NAMES: Record<Sort, string> = {
  rank: 'Rank',
  movement: 'Movement',
  views: 'Views',
  likes: 'Likes',
};

/** What each sort goes by, highest first; null for what is not known, which comes last. */
const VALUES: Record<Sort, (edge: ChartTileFragment) => number | null> = {
  rank: ({ rank }) => -rank,
  movement: toClimb,
  views: ({ node }) => node.stats?.views ?? null,
  likes: ({ node }) => node.stats?.likes ?? null,
};

/** By how many ranks a video has moved up, negative for down. Videos that are new are above all others. */
function toClimb({ movement, rank, previousRank }: ChartTileFragment): number | null {
  if (movement === 'NEW') return Number.POSITIVE_INFINITY;
  return previousRank === null ? null : previousRank - rank;
}

/**
 * The tiles to show: those with all words of `search` in their caption or creator, sorted. Drops duplicates: when the
 * chart changes between two windows, a video can be in both.
 */
export function arrangeTiles(edges: Edges, sort: Sort, search: string): ChartTileFragment[] {
  const words = simplify(search).split(/\s+/).filter(Boolean);
  const seen = new Set<string>();
  const tiles = edges.filter(({ node: { id, title, creator } }) => {
    const text = simplify(`${title} @${creator?.handle ?? ''}`);
    return !seen.has(id) && seen.add(id) && words.every((word) => text.includes(word));
  });
  const keyOf = (edge: ChartTileFragment): number => VALUES[sort](edge) ?? Number.NEGATIVE_INFINITY;
  return tiles.sort((a, b) => compare(keyOf(b), keyOf(a)) || a.rank - b.rank);
}

/** The text without what people leave out when they search: capitals and accents. */
function simplify(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** Not a difference, which two infinite values do not have. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
