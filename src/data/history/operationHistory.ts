import type { Chart } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ChartDay } from '../../domain/ranks.ts';
import { DAY_MS, toUtcDay } from '../../domain/utcDay.ts';
import type { History } from './history.ts';

/** How long what an operation has read of past days is current. */
export interface HistoryFreshness {
  /** The end of the UTC day, on the monotonic clock: then another day is the first that is stored. */
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** `History.changes` when it was read first. */
  readonly historyChanges: number;
}

/** The past days that one operation reads. Not shared between operations. */
export class OperationHistory {
  readonly #history: History;
  readonly #clock: Clock;
  #freshness: HistoryFreshness | undefined;

  constructor(history: History, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** What is known of the days of a chart before this one, the oldest first. Never rejects, and never costs credits. */
  async daysBefore(chart: Chart, day: number): Promise<readonly ChartDay[]> {
    if (this.#history.needsLookUp(chart, day)) await this.#history.lookUp(chart, day);
    this.#freshness ??= this.#toFreshness();
    return this.#history.daysBefore(chart, day);
  }

  /** Undefined when nothing was read. */
  freshness(): HistoryFreshness | undefined {
    return this.#freshness;
  }

  #toFreshness(): HistoryFreshness {
    const now = this.#clock.now();
    const endOfDay = this.#clock.monotonic() + (toUtcDay(now) + 1) * DAY_MS - now;
    return { freshUntil: endOfDay, staleUntil: endOfDay, historyChanges: this.#history.changes };
  }
}
