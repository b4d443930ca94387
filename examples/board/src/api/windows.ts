/** Ranks on one page of the provider: 2 credits for the ranks and 2 for the numbers, unless they are cached. */
export const PAGE_SIZE = 20;
/** The most ranks of a window. */
export const MAX_WINDOW = 100;
/** The most credits that a page costs, with the numbers on its videos. */
const CREDITS_PER_PAGE = 4;

/** The most credits that so many ranks cost. */
export function maxCredits(ranks: number): number {
  return Math.ceil(ranks / PAGE_SIZE) * CREDITS_PER_PAGE;
}
