import { memoise } from './memoise.ts';
import type { CachedPage } from './page.ts';

/** Pages of one chart, each once, by number. The array must not be changed afterwards. */
export const toByNumber = memoise(
  (pages: readonly CachedPage[]): ReadonlyMap<number, CachedPage> =>
    new Map(pages.map((page) => [page.number, page])),
);

/** The page with this number, likewise. */
export function findPage(pages: readonly CachedPage[], number: number): CachedPage | undefined {
  return toByNumber(pages).get(number);
}
