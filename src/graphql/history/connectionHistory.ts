import type { Page } from '../../domain/page.ts';
import { type ChartDay, type ChartSnapshot, type RankMovement, toMovement } from '../../domain/ranks.ts';
import { toIsoDate, toUtcDay } from '../../domain/utcDay.ts';
import type { RankedVideo } from '../../domain/window/index.ts';
import type { RankPointType } from '../types/rankPoint.type.ts';
import type { HistoryNeed } from './historyNeed.ts';

/** What past days say about the videos of a connection. All of them are compared with one snapshot. */
export class ConnectionHistory {
  readonly #days: readonly ChartDay[];
  readonly #need: HistoryNeed;
  readonly #comparedDay: ChartDay | undefined;
  /** The ranks of the days that were needed so far: they are not cached with the days. */
  readonly #ranks = new Map<ChartDay, ReadonlyMap<string, number>>();

  /**
   * @param days What is known of the chart, the oldest day first.
   * @param fetchedAt When the connection's oldest page was fetched, in Unix milliseconds.
   */
  constructor(days: readonly ChartDay[], fetchedAt: number, need: HistoryNeed) {
    this.#days = days;
    this.#need = need;
    this.#comparedDay = days.findLast(({ day, snapshot }) => day < toUtcDay(fetchedAt) && snapshot);
  }

  /** The snapshot that the connection is compared with; null when none is known. */
  get comparedWith(): ChartSnapshot | null {
    return this.#comparedDay?.snapshot ?? null;
  }

  /** Null when it is not known. */
  previousRank({ video }: RankedVideo): number | null {
    return (this.#comparedDay && this.#rankOn(this.#comparedDay, video.itemId)) ?? null;
  }

  /** Null when it is unknown. */
  movement(row: RankedVideo): RankMovement | null {
    const { comparedWith } = this;
    return comparedWith && toMovement(row.rank, this.previousRank(row), comparedWith);
  }

  /** Its rank on the last so many UTC days, the oldest first, where it is known. The last one is that of its page. */
  points({ rank, video, page }: RankedVideo, days: number): RankPointType[] {
    const before = this.#daysBefore(page, days).flatMap((day) => {
      const known = this.#rankOn(day, video.itemId);
      return known === undefined ? [] : [{ date: toIsoDate(day.day), rank: known }];
    });
    return [...before, { date: toIsoDate(toUtcDay(page.fetchedAt)), rank }];
  }

  /** Identifies all that the rows of a page depend on: the same text as long as none of it has changed. */
  idOf(page: Page): string {
    const days = this.#daysBefore(page, this.#need.days).map(({ serial }) => serial);
    return `${this.#comparedDay?.serial}/${days}`;
  }

  /** The known ones of so many UTC days up to that of the page, that one excluded. */
  #daysBefore(page: Page, days: number): readonly ChartDay[] {
    const last = toUtcDay(page.fetchedAt);
    return this.#days.filter(({ day }) => day > last - days && day < last);
  }

  #rankOn(day: ChartDay, itemId: string): number | undefined {
    const ranks = this.#ranks.get(day) ?? day.toRanks();
    this.#ranks.set(day, ranks);
    return ranks.get(itemId);
  }
}
