import { LRUCache } from 'lru-cache';
import { type Chart, chartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { type KnownPage, type PageKey, type PageRef, pageId } from '../../domain/page.ts';
import type { TrendingVideo } from '../../domain/trendingVideo.ts';

/** A page that is held. */
export interface HeldPage extends KnownPage {
  /** Names the generation of its chart by the `order` of its first page: pages of one expire together. */
  readonly generation: number;
  /** End of its time to live, on the monotonic clock. */
  readonly freshUntil: number;
  /** When its first cover expires, on the monotonic clock; null when that is no reason to fetch it anew. */
  readonly coversUntil: number | null;
}

/** Names a copy of a page. */
export type PageCopy = PageKey & Pick<HeldPage, 'generation' | 'freshUntil'>;

/** A video, and the page that it stands on. */
export interface FoundVideo {
  readonly video: TrendingVideo;
  readonly page: HeldPage;
}

/** What a page store needs. */
export interface PageStoreOptions {
  readonly clock: Clock;
  /** How long a page may be used past its time to live. */
  readonly staleMs: number;
  /** Bound on the pages' size: the length of their JSON at two bytes a character, and what it takes to find their videos. */
  readonly maxBytes: number;
}

/** The copies held of one chart. */
interface ChartCopies {
  /** The newest first. Never changed: another list takes its place. */
  readonly copies: readonly HeldPage[];
  /** When the first of them is past its time to live. */
  readonly freshUntil: number;
}

/** Copies of one page: the newest, and the one before for windows whose other pages are no newer. */
const MAX_COPIES = 2;
/** What it takes to find a row's video again, roughly. */
const INDEX_BYTES = 200;

/**
 * Pages of all charts in bounded memory, least recently used evicted first. Of each page it holds the two newest
 * copies, of different generations.
 */
export class PageStore {
  readonly #options: PageStoreOptions;
  readonly #pages: LRUCache<string, HeldPage>;
  /** The copies by chart: exactly those in `#pages`. */
  readonly #byChart = new Map<string, ChartCopies>();
  /** The copies by video, the newest first: exactly those in `#pages`. */
  readonly #byVideo = new Map<string, readonly HeldPage[]>();
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

  /** What all pages take. */
  get bytes(): number {
    return this.#pages.calculatedSize;
  }

  /** How often a page has come, or was dropped for being wrong. */
  get changes(): number {
    return this.#changes;
  }

  /** The chart's copies that may still be used, the newest first. */
  copies(chart: Chart): readonly HeldPage[] {
    const id = chartId(chart);
    const held = this.#byChart.get(id);
    if (!held) return [];
    const expiredUntil = this.#options.clock.monotonic() - this.#options.staleMs;
    if (held.freshUntil > expiredUntil) return held.copies;
    const expired = held.copies.filter(({ freshUntil }) => freshUntil <= expiredUntil);
    for (const page of expired) this.#pages.delete(copyId(page));
    return this.#byChart.get(id)?.copies ?? [];
  }

  /** The newest copy of a page; undefined when none is held, or when it is cut in another grid. */
  newest(key: PageKey): HeldPage | undefined {
    const newest = this.newestInAnyGrid(key);
    return newest?.pageSize === key.pageSize ? newest : undefined;
  }

  /** The newest copy of a page, whatever grid it is cut in. */
  newestInAnyGrid({ chart, number }: PageRef): HeldPage | undefined {
    return this.copies(chart).find((page) => page.number === number);
  }

  /** The newest copy of a video on any page that may still be used. */
  find(itemId: string): FoundVideo | undefined {
    const now = this.#options.clock.monotonic();
    const page = this.#byVideo.get(itemId)?.find((copy) => now < this.staleUntil(copy));
    const video = page?.rows.find((row) => row?.itemId === itemId);
    return page && video ? { video, page } : undefined;
  }

  /** Until when a page may be used, on the monotonic clock. */
  staleUntil({ freshUntil }: HeldPage): number {
    return freshUntil + this.#options.staleMs;
  }

  /** The `order` of the next page to come: `earliest` at least. */
  nextOrder(earliest = 0): number {
    return Math.max(this.#latest + 1, earliest);
  }

  /** Takes a page in. */
  add(page: HeldPage): void {
    this.#changes++;
    this.#latest = Math.max(this.#latest, page.order);
    this.#pages.set(copyId(page), page);
    const copies = this.copies(page.chart).filter(({ number }) => number === page.number);
    for (const old of copies.slice(MAX_COPIES)) this.#pages.delete(copyId(old));
  }

  /** Notes that a copy was used. */
  touch(copy: PageCopy): void {
    this.#pages.get(copyId(copy));
  }

  /** Drops all copies of a page. */
  forget({ chart, number }: PageRef): void {
    this.#changes++;
    const copies = this.copies(chart).filter((page) => page.number === number);
    for (const page of copies) this.#pages.delete(copyId(page));
  }

  /** All pages, the least recently used first: as `add` wants them. */
  all(): HeldPage[] {
    return [...this.#pages.rvalues()].filter((page) => page !== undefined);
  }

  #index(page: HeldPage): void {
    const id = chartId(page.chart);
    this.#keep(id, [...(this.#byChart.get(id)?.copies ?? []), page]);
    for (const itemId of itemIds(page)) {
      const others = this.#byVideo.get(itemId) ?? [];
      this.#byVideo.set(itemId, [...others, page].sort(byOrder));
    }
  }

  #unindex(page: HeldPage): void {
    const id = chartId(page.chart);
    const copies = this.#byChart.get(id)?.copies.filter((copy) => copy !== page) ?? [];
    if (copies.length > 0) this.#keep(id, copies);
    else this.#byChart.delete(id);
    for (const itemId of itemIds(page)) {
      const others = this.#byVideo.get(itemId)?.filter((copy) => copy !== page) ?? [];
      if (others.length > 0) this.#byVideo.set(itemId, others);
      else this.#byVideo.delete(itemId);
    }
  }

  #keep(id: string, copies: HeldPage[]): void {
    copies.sort(byOrder);
    this.#byChart.set(id, { copies, freshUntil: Math.min(...copies.map(({ freshUntil }) => freshUntil)) });
  }
}

function copyId(copy: PageCopy): string {
  return `${pageId(copy)}:${copy.generation}`;
}

/** What a page takes in memory, about. */
export function sizeOf(page: HeldPage): number {
  return JSON.stringify(page).length * 2 + page.rows.length * INDEX_BYTES;
}

/** The newest first. */
function byOrder(a: HeldPage, b: HeldPage): number {
  return b.order - a.order;
}

function itemIds({ rows }: HeldPage): Set<string> {
  return new Set(rows.flatMap((row) => (row ? [row.itemId] : [])));
}
