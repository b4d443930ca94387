import { memoise } from '../../domain/memoise.ts';
import type { CachedPage } from '../../domain/page.ts';

/** Sets of one chart's pages that windows may be cut from. */
export interface Views {
  /** In order of preference: the newest generation, recent ones before it, the newest copy of each page. */
  readonly preferred: readonly (readonly CachedPage[])[];
  /** Older generations, for when newer pages are unavailable. */
  readonly fallback: readonly (readonly CachedPage[])[];
  /** The newest copy of each page. */
  readonly newest: readonly CachedPage[];
}

/**
 * The views of a chart's copies.
 *
 * @param copies The newest first.
 * @param isRecent Whether a copy of an older generation is young enough to be served rather than waited for.
 */
export function toViews(copies: readonly CachedPage[], isRecent: (page: CachedPage) => boolean): Views {
  const { current, older, newest } = toGenerations(copies);
  if (older.length === 0) return { preferred: current, fallback: older, newest };
  return {
    preferred: [...current, ...older.filter((pages) => pages.every(isRecent)), newest],
    fallback: older.filter((pages) => !pages.every(isRecent)),
    newest,
  };
}

/** What does not depend on time: charts are read far more often than their pages change. */
const toGenerations = memoise((copies: readonly CachedPage[]) => {
  const [current, ...older] = byGeneration(copies);
  const newest = newestCopies(copies);
  if (!current) return { current: [], older, newest };
  return { current: [older.length === 0 ? newest : current], older, newest };
});

/** The newest copy of each page. */
export const newestCopies = memoise((copies: readonly CachedPage[]): readonly CachedPage[] => {
  const seen = new Set<number>();
  const newest = copies.filter(({ number }) => !seen.has(number) && seen.add(number));
  return newest.length === copies.length ? copies : newest;
});

/** The copies of each generation, in the order of the copies. */
function byGeneration(copies: readonly CachedPage[]): CachedPage[][] {
  const generations = new Map<number, CachedPage[]>();
  for (const page of copies) {
    const generation = generations.get(page.generation);
    if (generation) generation.push(page);
    else generations.set(page.generation, [page]);
  }
  return [...generations.values()];
}
