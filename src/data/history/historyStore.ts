import { LRUCache } from 'lru-cache';
import { type Chart, chartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { ChartDay, dayOf, type PageRanks } from '../../domain/ranks.ts';
import { toUtcDay } from '../../domain/utcDay.ts';

/** What a history store needs. */
interface HistoryStoreOptions {
  readonly clock: Clock;
  /** For how many UTC days, including today, ranks are stored; 0: no ranks are stored. */
  readonly days: number;
  /** Bounds the size of all days. */
  readonly maxBytes: number;
}

/** What is known of a chart. */
export interface ChartHistory {
  readonly chart: Chart;
  /** The oldest first. */
  readonly days: readonly ChartDay[];
}

/** What the ranks of a page take in memory apart from their text, and what a day takes apart from its pages, measured. */
const PAGE_BYTES = 150;
const DAY_BYTES = 300;

/**
 * Stores which video had which rank, by chart and UTC day, in bounded memory. The least recently used charts are evicted
 * first; of a chart that is larger than the bound, the oldest days.
 */
export class HistoryStore {
  readonly #options: HistoryStoreOptions;
  readonly #charts: LRUCache<string, ChartHistory>;

  constructor(options: HistoryStoreOptions) {
    this.#options = options;
    this.#charts = new LRUCache({ maxSize: options.maxBytes, sizeCalculation: sizeOf });
  }

  /** What all days take together. */
  get bytes(): number {
    return this.#charts.calculatedSize;
  }

  /** How many days of charts are stored. */
  get chartDays(): number {
    let count = 0;
    for (const history of this.#charts.values()) count += history?.days.length ?? 0;
    return count;
  }

  /** The current UTC day. */
  get today(): number {
    return toUtcDay(this.#options.clock.now());
  }

  /** The first UTC day that is stored. */
  get firstDay(): number {
    return this.today - this.#options.days + 1;
  }

  /** Whether the chart has an entry, which may be empty. Does not count as use. */
  has(chart: Chart): boolean {
    return this.#charts.has(chartId(chart));
  }

  /** What is known of a chart, the oldest day first. Counts as use. */
  days(chart: Chart): readonly ChartDay[] {
    const { firstDay } = this;
    const days = this.#charts.get(chartId(chart))?.days ?? [];
    return days.filter(({ day }) => day >= firstDay);
  }

  /**
   * Adds the ranks of pages of a chart, each to the day on which it was fetched.
   *
   * @returns Whether a day has changed that a later one may have been compared with.
   */
  add(chart: Chart, pages: readonly PageRanks[]): boolean {
    const id = chartId(chart);
    const known = new Map(this.#charts.get(id)?.days.map((day) => [day.day, day]));
    const changed: number[] = [];
    for (const date of new Set(pages.map(dayOf))) {
      if (date < this.firstDay) continue;
      const added = pages.filter((page) => dayOf(page) === date);
      const before = known.get(date);
      const after = before?.with(added) ?? new ChartDay(date, added);
      if (after === before || after.pages.length === 0) continue;
      known.set(date, after);
      changed.push(date);
    }
    if (changed.length > 0 || !this.#charts.has(id)) this.#set(chart, [...known.values()]);
    // The wall clock may have been set back.
    const last = Math.max(this.today, ...[...known.keys()].filter((date) => date <= this.today + 1));
    return changed.some((date) => date < last);
  }

  /** All charts, the least recently used first: adding them in this order restores the store. */
  all(): ChartHistory[] {
    return [...this.#charts.rvalues()].filter((history) => history !== undefined);
  }

  /** Days are dropped by their number: a wall clock that is wrong for a while must not drop all of them. */
  #set(chart: Chart, known: ChartDay[]): void {
    const days = known.sort((a, b) => a.day - b.day).slice(-this.#options.days);
    while (days.length > 1 && sizeOf({ chart, days }) > this.#options.maxBytes) days.shift();
    this.#charts.set(chartId(chart), { chart, days });
  }
}

/** What the days of a chart take in memory, roughly. */
function sizeOf({ days }: ChartHistory): number {
  const pages = days.flatMap((day) => day.pages);
  return pages.reduce((sum, { itemIds }) => sum + itemIds.length + PAGE_BYTES, DAY_BYTES * (days.length + 1));
}
