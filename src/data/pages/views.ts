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
  const [first] = copies;
  if (!first) return { preferred: [], fallback: [], newest: [] };
  if (copies.every(({ generation }) => generation === first.generation)) {
    return { preferred: [copies], fallback: [], newest: copies };
  }
  const [current = [], ...older] = byGeneration(copies);
  const newest = newestCopies(copies);
  return {
    preferred: [current, ...older.filter((pages) => pages.every(isRecent)), newest],
    fallback: older.filter((pages) => !pages.every(isRecent)),
    newest,
  };
}

/** The newest copy of each page. */
export function newestCopies(copies: readonly CachedPage[]): CachedPage[] {
  const seen = new Set<number>();
  return copies.filter(({ number }) => !seen.has(number) && seen.add(number));
}

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
