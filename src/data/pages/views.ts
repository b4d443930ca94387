import type { HeldPage } from './pageStore.ts';

/** Sets of pages, each of one chart, that windows may be cut from. */
export interface Views {
  /**
   * The newest generation, those before it that are recent, the newest copy of each page: in this order.
   */
  readonly preferred: readonly (readonly HeldPage[])[];
  /** Older generations: better than nothing when newer pages cannot be had. */
  readonly lastResort: readonly (readonly HeldPage[])[];
}

/**
 * The views of a chart's copies.
 *
 * @param copies The newest first.
 * @param isRecent Whether a copy that is not of the newest generation is young enough to be preferred to waiting.
 */
export function toViews(copies: readonly HeldPage[], isRecent: (page: HeldPage) => boolean): Views {
  const [first] = copies;
  if (!first) return { preferred: [], lastResort: [] };
  if (copies.every(({ generation }) => generation === first.generation)) {
    return { preferred: [copies], lastResort: [] };
  }
  const [newest = [], ...older] = byGeneration(copies);
  return {
    preferred: [newest, ...older.filter((pages) => pages.every(isRecent)), newestCopies(copies)],
    lastResort: older.filter((pages) => !pages.every(isRecent)),
  };
}

/** The newest copy of each page. */
export function newestCopies(copies: readonly HeldPage[]): HeldPage[] {
  const seen = new Set<number>();
  return copies.filter(({ number }) => !seen.has(number) && seen.add(number));
}

/** The copies of each generation, in the order of the copies. */
function byGeneration(copies: readonly HeldPage[]): HeldPage[][] {
  const generations = new Map<number, HeldPage[]>();
  for (const page of copies) {
    const generation = generations.get(page.generation);
    if (generation) generation.push(page);
    else generations.set(page.generation, [page]);
  }
  return [...generations.values()];
}
