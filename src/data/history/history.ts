import { type Chart, chartId } from '../../domain/chart.ts';
import { itemIdsOf, type Page } from '../../domain/page.ts';
import { type ChartDay, dayOf, type PageRanks, toPageRanks } from '../../domain/ranks.ts';
import type { HistoryStore } from './historyStore.ts';

/**
 * Looks up the ranks of a chart on these UTC days that other replicas have stored. Undefined while Redis is
 * unavailable; never rejects.
 */
export type LookUpRanks = (
  chart: Chart,
  days: readonly number[],
) => Promise<readonly PageRanks[] | undefined>;

/** Receives the ranks of a page that this process has fetched. */
type OnNoted = (chart: Chart, ranks: PageRanks) => void;

/**
 * The ranks of videos on the last days, for all operations of the process. They are recorded whenever a page is
 * fetched, here or by another replica, and never cost a request to KeyAPI.
 *
 * The days of a chart that other replicas have stored are looked up when an operation needs them for the first time:
 * each day once, and again after another replica has changed it.
 */
export class History {
  readonly #store: HistoryStore;
  readonly #lookUps: LookUpRanks[] = [];
  readonly #listeners: OnNoted[] = [];
  /** By chart id, the days that were looked up. */
  readonly #lookedUp = new Map<string, Set<number>>();
  /** Lookups in flight, by chart id. */
  readonly #inFlight = new Map<string, Promise<void>>();
  /** See `changesOf`, by chart id. */
  readonly #changes = new Map<string, number>();
  /** How often all data of other replicas may have changed. */
  #resets = 0;

  constructor(store: HistoryStore) {
    this.#store = store;
  }

  /** Adds a place where more is known. */
  addLookUp(lookUp: LookUpRanks): void {
    this.#lookUps.push(lookUp);
  }

  /** Adds a listener. */
  onNoted(listener: OnNoted): void {
    this.#listeners.push(listener);
  }

  /** Records the ranks of a page that was just fetched, if its day is stored. */
  note(page: Page, sequence: number): void {
    const ranks = toPageRanks(page, sequence);
    if (dayOf(ranks) < this.#store.firstDay || itemIdsOf(page).length === 0) return;
    // What was evicted is looked up again.
    if (!this.#store.has(page.chart)) this.#lookedUp.delete(chartId(page.chart));
    this.#add(page.chart, [ranks]);
    for (const listener of this.#listeners) listener(page.chart, ranks);
  }

  /** How often days of a chart have changed, as far as is known, that later ones may have been compared with. */
  changesOf(chart: Chart): number {
    return this.#resets + (this.#changes.get(chartId(chart)) ?? 0);
  }

  /** What is known of the days of a chart before a UTC day, the oldest first. */
  daysBefore(chart: Chart, day: number): readonly ChartDay[] {
    return this.#store.days(chart).filter((known) => known.day < day);
  }

  /** What is known of a chart on a UTC day. */
  onDay(chart: Chart, day: number): ChartDay | undefined {
    return this.#store.days(chart).find((known) => known.day === day);
  }

  /** True when others may know more of the days of a chart before this one. */
  needsLookUp(chart: Chart, before: number): boolean {
    return this.#inFlight.has(chartId(chart)) || this.#missingDays(chart, before).length > 0;
  }

  /** Looks up what others know of the days of a chart before this one. Never rejects. */
  async lookUp(chart: Chart, before: number): Promise<void> {
    const id = chartId(chart);
    while (this.#inFlight.has(id)) await this.#inFlight.get(id);
    const days = this.#missingDays(chart, before);
    if (days.length > 0) {
      this.#inFlight.set(
        id,
        this.#lookUpDays(chart, days).finally(() => this.#inFlight.delete(id)),
      );
    }
    await this.#inFlight.get(id);
  }

  /** Marks a day of a chart to be looked up again, because another replica has changed it. */
  markOutdated(chart: Chart, day: number): void {
    const wasLookedUp = this.#lookedUp.get(chartId(chart))?.delete(day) === true;
    if (wasLookedUp && day < this.#store.today) this.#countChange(chart);
  }

  /** Has everything looked up again. */
  markAllOutdated(): void {
    this.#lookedUp.clear();
    this.#resets++;
  }

  #missingDays(chart: Chart, before: number): number[] {
    if (this.#lookUps.length === 0) return [];
    // What was evicted is looked up again.
    const lookedUp = this.#store.has(chart) ? this.#lookedUp.get(chartId(chart)) : undefined;
    const missing: number[] = [];
    for (let day = this.#store.firstDay; day < before; day++) if (!lookedUp?.has(day)) missing.push(day);
    return missing;
  }

  async #lookUpDays(chart: Chart, days: readonly number[]): Promise<void> {
    const { firstDay } = this.#store;
    const known = this.#store.has(chart) ? (this.#lookedUp.get(chartId(chart)) ?? []) : [];
    // Marked before the lookup, so that changes during the lookup cause another one.
    const lookedUp = new Set([...known, ...days].filter((day) => day >= firstDay));
    this.#lookedUp.set(chartId(chart), lookedUp);
    const found = await Promise.all(this.#lookUps.map((lookUp) => lookUp(chart, days)));
    this.#add(
      chart,
      found.flatMap((pages) => pages ?? []),
    );
    if (found.includes(undefined)) for (const day of days) lookedUp.delete(day);
  }

  #add(chart: Chart, pages: readonly PageRanks[]): void {
    if (this.#store.add(chart, pages)) this.#countChange(chart);
  }

  #countChange(chart: Chart): void {
    const id = chartId(chart);
    this.#changes.set(id, (this.#changes.get(id) ?? 0) + 1);
  }
}
