import { type Chart, chartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import type { ChartDay } from '../../domain/ranks.ts';
import { DAY_MS, toUtcDay } from '../../domain/utcDay.ts';
import type { History } from './history.ts';

/** The state of a chart's past. */
export interface ChartChanges {
  readonly chart: Chart;
  /** `History.changesOf` the chart. */
  readonly changes: number;
}

/** How long the past days that an operation has read stay valid. */
export interface HistoryFreshness {
  /** The end of the UTC day, on the monotonic clock: after it, the oldest stored day changes. */
  readonly freshUntil: number;
  readonly staleUntil: number;
  /** For each chart, before its past was read. */
  readonly historyChanges: readonly ChartChanges[];
}

/** The past days that one operation reads. Not shared between operations. */
export class OperationHistory {
  readonly #history: History;
  readonly #clock: Clock;
  /** By chart id. */
  readonly #read = new Map<string, ChartChanges>();
  #endOfDay = Number.POSITIVE_INFINITY;

  constructor(history: History, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** What is known of the days of a chart before this one, the oldest first. Never rejects, and never costs credits. */
  async daysBefore(chart: Chart, day: number): Promise<readonly ChartDay[]> {
    this.#record(chart);
    if (this.#history.needsLookUp(chart, day)) await this.#history.lookUp(chart, day);
    return this.#history.daysBefore(chart, day);
  }

  /** Undefined when nothing was read. */
  freshness(): HistoryFreshness | undefined {
    if (this.#read.size === 0) return undefined;
    const endOfDay = this.#endOfDay;
    return { freshUntil: endOfDay, staleUntil: endOfDay, historyChanges: [...this.#read.values()] };
  }

  #record(chart: Chart): void {
    const now = this.#clock.now();
    const endOfDay = this.#clock.monotonic() + (toUtcDay(now) + 1) * DAY_MS - now;
    this.#endOfDay = Math.min(this.#endOfDay, endOfDay);
    const id = chartId(chart);
    if (!this.#read.has(id)) this.#read.set(id, { chart, changes: this.#history.changesOf(chart) });
  }
}
