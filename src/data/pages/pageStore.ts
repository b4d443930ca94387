import { LRUCache } from 'lru-cache';
import { type Chart, chartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { memoise } from '../../domain/memoise.ts';
import {
  type CachedPage,
  denies,
  itemIdsOf,
  lacksRows,
  type Page,
  type PageCopy,
  type PageKey,
  pageId,
  toRetentionMs,
} from '../../domain/page.ts';
import { findPage } from '../../domain/pageNumbers.ts';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';
import { newestCopies } from './views.ts';

/** A video, and the page that it is on. */
export interface FoundVideo {
  readonly video: TrendingVideo;
  readonly page: CachedPage;
}

/** What a page store needs. */
interface PageStoreOptions {
  readonly clock: Clock;
  /** How long an expired page may still be used. */
  readonly staleMs: number;
  /** Bounds what all pages take in memory, with the index of their videos. */
  readonly maxBytes: number;
}

/** The cached copies of one chart, the newest first. The lists are never changed, but replaced by others. */
interface ChartCopies {
  readonly all: readonly CachedPage[];
  /** Those that may be used. */
  readonly usable: readonly CachedPage[];
  /** When that changes, or one of them is due for deletion. */
  readonly validUntil: number;
  /** When the first page expires that lacks rows, beside others that have some; Infinity without such a page. */
  readonly emptyUntil: number;
}

/** Copies of one page: the newest, and the one before it for windows whose other pages are no newer. */
const MAX_COPIES = 2;
/** What a row takes besides its texts, with its place in the index: measured with 1,000 pages, most titles with an emoji. */
const ROW_BYTES = 400;

/**
 * Stores pages of all charts in bounded memory; the least recently used is evicted first. Of each page it has the two
 * newest copies, of different generations. An expired page may be used for a time, except for one that lacks rows on a
 * chart that has some: it may no longer hide where the chart ends.
 */
export class PageStore {
  readonly #options: PageStoreOptions;
  readonly #pages: LRUCache<string, CachedPage>;
  /** The copies by chart: exactly those in `#pages`. */
  readonly #byChart = new Map<string, ChartCopies>();
  /** The copies by video: exactly those in `#pages`. */
  readonly #byVideo = new Map<string, CachedPage[]>();
  #latest = 0;
  #changes = 0;

  constructor(options: PageStoreOptions) {
    this.#options = options;
    this.#pages = new LRUCache({
      maxSize: options.maxBytes,
      sizeCalculation: sizeOf,
      onInsert: (page) => this.#index(page),
      dispose: (page) => this.#unindex(page),
    });
  }

  /** What all pages take together. */
  get bytes(): number {
    return this.#pages.calculatedSize;
  }

  /** How often a page was added, or deleted because upstream refuses it. */
  get changes(): number {
    return this.#changes;
  }

  /** The chart's copies that may still be used, the newest first. */
  copies(chart: Chart): readonly CachedPage[] {
    const id = chartId(chart);
    const now = this.#options.clock.monotonic();
    const chartCopies = this.#byChart.get(id);
    if (!chartCopies) return [];
    if (now < chartCopies.validUntil) return chartCopies.usable;
    const outdated = chartCopies.all.filter((page) => now >= this.#deletedAt(page));
    for (const page of outdated) this.#pages.delete(copyId(page));
    const left = this.#copiesOf(chart);
    if (left.length > 0) this.#setCopies(id, [...left]);
    return this.#byChart.get(id)?.usable ?? [];
  }

  /** The newest copy of a page; given a `pageSize`, undefined when that copy has another one. */
  newest({ chart, number }: PageKey, pageSize?: number): CachedPage | undefined {
    const newest = findPage(newestCopies(this.copies(chart)), number);
    return pageSize === undefined || newest?.pageSize === pageSize ? newest : undefined;
  }

  /** Whether rows are cached that a page says do not exist: its own, or any of its chart. */
  contradicts(page: Page): boolean {
    return this.copies(page.chart).some((copy) => denies(page, copy));
  }

  /**
   * Until when the chart's length is what its pages say: the first expiry of a page that ends it without having rows.
   */
  emptyUntil(chart: Chart): number {
    return this.#byChart.get(chartId(chart))?.emptyUntil ?? Number.POSITIVE_INFINITY;
  }

  /** The newest copy of a page, even if it may not be used any more. */
  latest({ chart, number }: PageKey): CachedPage | undefined {
    return this.#copiesOf(chart).find((page) => page.number === number);
  }

  /** The newest copy of a video on any page that may still be used. */
  find(itemId: string): FoundVideo | undefined {
    const now = this.#options.clock.monotonic();
    const copies = this.#byVideo.get(itemId) ?? [];
    const [page] = copies.filter((copy) => now < this.staleUntil(copy)).sort(bySequence);
    const video = page?.rows.find((row) => row?.itemId === itemId);
    return page && video ? { video, page } : undefined;
  }

  /** True until the end of a page's time to live. */
  isFresh({ freshUntil }: Pick<CachedPage, 'freshUntil'>): boolean {
    return this.#options.clock.monotonic() < freshUntil;
  }

  /** Until when a page may be used, on the monotonic clock; one that lacks rows may expire before. */
  staleUntil({ freshUntil }: CachedPage): number {
    return freshUntil + this.#options.staleMs;
  }

  /** The sequence number of the next page: at least `min`. */
  nextSequence(min = 0): number {
    return Math.max(this.#latest + 1, min);
  }

  /** Adds a page. Of the page's copies the two newest stay, but none that says that these rows do not exist. */
  add(page: CachedPage): void {
    this.#changes++;
    const denials = this.#copiesOf(page.chart).filter((copy) => denies(copy, page));
    for (const denial of denials) this.#pages.delete(copyId(denial));
    this.#latest = Math.max(this.#latest, page.sequence);
    this.#pages.set(copyId(page), page);
    const copies = this.#copiesOf(page.chart).filter(({ number }) => number === page.number);
    for (const old of copies.slice(MAX_COPIES)) this.#pages.delete(copyId(old));
  }

  /** Records a use of a copy; returns the page if it is still cached. */
  touch(copy: PageCopy): CachedPage | undefined {
    return this.#pages.get(copyId(copy));
  }

  /** Deletes all copies of a page. */
  delete({ chart, number }: PageKey): void {
    this.#changes++;
    const copies = this.#copiesOf(chart).filter((page) => page.number === number);
    for (const page of copies) this.#pages.delete(copyId(page));
  }

  /** All pages, the least recently used first: adding them in this order restores the store. */
  all(): CachedPage[] {
    return [...this.#pages.rvalues()].filter((page) => page !== undefined);
  }

  #index(page: CachedPage): void {
    const id = chartId(page.chart);
    this.#setCopies(id, [...this.#copiesOf(page.chart), page]);
    for (const itemId of new Set(itemIdsOf(page))) {
      const others = this.#byVideo.get(itemId);
      if (others) others.push(page);
      else this.#byVideo.set(itemId, [page]);
    }
  }

  #unindex(page: CachedPage): void {
    const id = chartId(page.chart);
    const copies = this.#copiesOf(page.chart).filter((copy) => copy !== page);
    if (copies.length > 0) this.#setCopies(id, copies);
    else this.#byChart.delete(id);
    for (const itemId of new Set(itemIdsOf(page))) {
      const others = this.#byVideo.get(itemId)?.filter((copy) => copy !== page) ?? [];
      if (others.length > 0) this.#byVideo.set(itemId, others);
      else this.#byVideo.delete(itemId);
    }
  }

  /** All copies of a chart, the newest first. */
  #copiesOf(chart: Chart): readonly CachedPage[] {
    return this.#byChart.get(chartId(chart))?.all ?? [];
  }

  #deletedAt(page: CachedPage): number {
    return page.freshUntil + toRetentionMs(page, this.#options.staleMs);
  }

  #setCopies(id: string, all: CachedPage[]): void {
    all.sort(bySequence);
    const now = this.#options.clock.monotonic();
    const chartHasRows = all.some(hasRows);
    let validUntil = Number.POSITIVE_INFINITY;
    let emptyUntil = Number.POSITIVE_INFINITY;
    const usable = all.filter((page) => {
      const isBrief = chartHasRows && lacksRows(page);
      const usableUntil = isBrief ? page.freshUntil : this.staleUntil(page);
      const isUsable = now < usableUntil;
      validUntil = Math.min(validUntil, isUsable ? usableUntil : this.#deletedAt(page));
      if (isBrief && isUsable) emptyUntil = Math.min(emptyUntil, usableUntil);
      return isUsable;
    });
    this.#byChart.set(id, { all, usable, validUntil, emptyUntil });
  }
}

/** True for a page with any row, readable or not. */
function hasRows({ rows }: Page): boolean {
  return rows.length > 0;
}

const copyId = memoise((copy: PageCopy) => `${pageId(copy)}:${copy.generation}`);

/** What a page takes in memory, roughly. */
export function sizeOf(page: CachedPage): number {
  return Buffer.byteLength(JSON.stringify(page)) + page.rows.length * ROW_BYTES;
}

/** The newest first. */
function bySequence(a: CachedPage, b: CachedPage): number {
  return b.sequence - a.sequence;
}
