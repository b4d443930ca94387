import { ApiError } from '../../domain/errors.ts';
import { type CachedPage, denies } from '../../domain/page.ts';
import {
  cutWindow,
  type KnownPages,
  planWindow,
  type RankedVideo,
  type RankRange,
  type WindowArguments,
  type WindowNeed,
  type WindowPlan,
} from '../../domain/window/index.ts';
import { createEmptyPageError } from '../pages/emptyPage.ts';

/** A window that was cut. */
export interface ChartWindow {
  readonly ranks: RankRange;
  /** Empty when only facts were needed. */
  readonly videos: readonly RankedVideo[];
  /** Absent when nothing had to be read. */
  readonly facts: ChartFacts | undefined;
}

/** Facts about the chart, and the age of the data. */
interface ChartFacts {
  readonly chartLength: number;
  /** When the oldest page that the window was cut from was fetched, in Unix milliseconds. */
  readonly fetchedAt: number;
  /** True when one of these pages has expired. */
  readonly stale: boolean;
}

/**
 * Bounds how often a window is planned. The probe of a tail, its pages, a video that moved, a chart that shrank and a
 * new page size may take a round each, and finding the end of a chart that claims too many ranks some more. A chart
 * whose pages still contradict each other after that is unusable.
 */
const MAX_ROUNDS = 28;
const MAX_SIZE_CHANGES = 2;

/** The pages that a window needs next. */
export interface PagesNeeded {
  readonly numbers: readonly number[];
  readonly pageSize: number;
  /** True when any other page of the chart will do. */
  readonly anyPage: boolean;
}

/**
 * Plans a window and cuts it. Yields the pages that it needs next, and expects them in return, until it has all of
 * them.
 *
 * @param known The cached pages of the chart. Called before each step.
 * @param isFresh Whether a page has not expired.
 * @throws {ApiError} `UPSTREAM_BAD_RESPONSE` when the pages keep contradicting each other, or when one that was just read
 * says that the chart is empty, and another one has rows.
 */
export function* cutInSteps(
  args: WindowArguments,
  need: WindowNeed,
  known: () => KnownPages,
  isFresh: (page: CachedPage) => boolean,
): Generator<PagesNeeded, ChartWindow, readonly CachedPage[]> {
  const loaded = new Map<number, CachedPage>();
  const pageSizes: number[] = [];
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const plan = planWindow(args, need, known(), [...loaded.values()]);
    const { pages, pageSize, anyPage } = plan;
    if (pageSizes.at(-1) !== pageSize) pageSizes.push(pageSize);
    if (pageSizes.length > MAX_SIZE_CHANGES + 1) break;
    const missing = pages.filter((number) => loaded.get(number)?.pageSize !== pageSize);
    if (missing.length === 0) return cutPlanned(plan, args, need, [...loaded.values()], isFresh);
    const pagesRead = yield { numbers: missing, pageSize, anyPage };
    for (const page of pagesRead) loaded.set(page.number, page);
    rejectContradictions([...loaded.values()]);
  }
  throw new ApiError('UPSTREAM_BAD_RESPONSE', {
    detail: 'The pages of the chart contradict each other, also after they were read again',
  });
}

/**
 * Cuts a planned window.
 *
 * @param read The pages of the plan, and perhaps others of the chart.
 * @throws {ApiError} `UPSTREAM_BAD_RESPONSE` when one of them says that the chart is empty, and another one has rows.
 */
export function cutPlanned(
  plan: WindowPlan,
  args: WindowArguments,
  need: WindowNeed,
  read: readonly CachedPage[],
  isFresh: (page: CachedPage) => boolean,
): ChartWindow {
  rejectContradictions(read);
  const { ranks, pages, chartLength } = plan;
  const byNumber = new Map(read.map((page) => [page.number, page]));
  const videos = need.rows ? cutWindow(plan, args, byNumber) : [];
  const used = pages.length > 0 ? read.filter(({ number }) => pages.includes(number)) : read;
  return { ranks, videos, facts: toFacts(chartLength, used, isFresh) };
}

/** Pages that are read at once were not compared with each other. */
function rejectContradictions(pages: readonly CachedPage[]): void {
  if (pages.some((page) => pages.some((other) => denies(page, other)))) throw createEmptyPageError();
}

function toFacts(
  chartLength: number | undefined,
  pages: readonly CachedPage[],
  isFresh: (page: CachedPage) => boolean,
): ChartFacts | undefined {
  if (chartLength === undefined || pages.length === 0) return undefined;
  return {
    chartLength,
    fetchedAt: Math.min(...pages.map((page) => page.fetchedAt)),
    stale: pages.some((page) => !isFresh(page)),
  };
}
