import { type ChartRanks, chartId } from '../../domain/chart.ts';
import type { Clock } from '../../domain/clock.ts';
import { ApiError } from '../../domain/errors.ts';
import { DAY_MS, toUtcDay } from '../../domain/utcDay.ts';
import { type FetchedPages, type TakeSnapshotOptions, takeSnapshot } from './takeSnapshot.ts';

/** Dependencies of the daily snapshots. */
interface DailySnapshotsOptions extends TakeSnapshotOptions {
  readonly charts: readonly ChartRanks[];
  readonly clock: Clock;
  /** True while no call to KeyAPI is in flight or waiting. */
  readonly isIdle: () => boolean;
  /** False while this process cannot know what other replicas fetch: all of them would fetch the same. */
  readonly canShare: () => boolean;
}

/** Notes the ranks of charts on every day. */
export interface DailySnapshots {
  /** From now on pages are fetched. */
  start(): void;
  /** From now on no page is requested. One that is in flight still arrives. */
  stop(): void;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/**
 * Time of the UTC day from which pages are fetched while no other call is in flight. Before that time an operation may
 * still fetch them.
 */
const QUIET_FROM_MS = 18 * HOUR_MS;
/** Time of the UTC day from which they are fetched even while other calls are in flight, because the day ends soon. */
const ANYWAY_FROM_MS = 23 * HOUR_MS;
/** The longest pause of a chart after a failure. */
const MAX_PAUSE_MS = HOUR_MS;

/** What has become of a chart on one UTC day. */
interface DayOfChart {
  readonly fetched: FetchedPages;
  /**
   * `complete`: all ranks are recorded. `refused`: KeyAPI does not have the chart. Undefined while neither is known.
   */
  end: 'complete' | 'refused' | undefined;
  /** The last pause after a failure; doubles until a page comes. */
  pauseMs: number;
  /** When it ends, on the monotonic clock. */
  pausedUntil: number;
  /** How many pages had come when it began. */
  fetchedBefore: number;
}

/**
 * Creates the daily snapshots, which record the ranks of these charts on every UTC day, even if nobody reads them: in
 * the evening they fetch, in the background, the pages that were not fetched on that day.
 *
 * They check once a minute, and fetch one page after the other. After a failure the chart pauses for a minute, then for
 * 2, 4 and so on, up to an hour, until a page arrives or the day ends. A chart that KeyAPI refuses (400) is not
 * requested again until the next day.
 */
export function createDailySnapshots(options: DailySnapshotsOptions): DailySnapshots {
  const { history, clock, isIdle, canShare, onEvent } = options;
  const charts = options.charts.map((daily) => ({ daily, state: toDay(Number.NEGATIVE_INFINITY) }));
  let isStopped = true;
  let timer: ReturnType<Clock['timers']['setTimeout']> | undefined;

  const today = (): number => toUtcDay(clock.now());

  function mayFetch(): boolean {
    if (isStopped || !canShare()) return false;
    const time = clock.now() % DAY_MS;
    return time >= ANYWAY_FROM_MS || (time >= QUIET_FROM_MS && isIdle());
  }

  /** Never rejects. */
  async function advance(daily: ChartRanks, state: DayOfChart): Promise<void> {
    const isDue = (): boolean => mayFetch() && today() === state.fetched.day;
    try {
      if (await takeSnapshot(daily, state.fetched, isDue, options)) state.end = 'complete';
    } catch (error) {
      // Not logged here: the upstream call was logged.
      if (error instanceof ApiError && error.code === 'BAD_USER_INPUT') state.end = 'refused';
      pause(state);
    }
  }

  function pause(state: DayOfChart): void {
    const { size } = state.fetched.ids;
    state.pauseMs = size > state.fetchedBefore ? MINUTE_MS : Math.min(state.pauseMs * 2, MAX_PAUSE_MS);
    state.fetchedBefore = size;
    state.pausedUntil = clock.monotonic() + state.pauseMs;
  }

  /** Emits an event when a day has ended on which not all ranks of a chart were fetched. */
  function reportMissed({ chart, ranks }: ChartRanks, { fetched: { day }, end }: DayOfChart): void {
    const knownRanks = history.onDay(chart, day)?.snapshot?.knownRanks ?? 0;
    const isFirst = day === Number.NEGATIVE_INFINITY;
    if (isFirst || end === 'complete' || knownRanks >= ranks) return;
    onEvent({ type: 'snapshotMissed', chart: chartId(chart), ranks, knownRanks });
  }

  async function look(): Promise<void> {
    for (const chart of charts) {
      if (chart.state.fetched.day !== today()) {
        reportMissed(chart.daily, chart.state);
        chart.state = toDay(today());
      }
      const { end, pausedUntil } = chart.state;
      if (!end && clock.monotonic() >= pausedUntil && mayFetch()) await advance(chart.daily, chart.state);
    }
    if (!isStopped) wait();
  }

  function wait(): void {
    timer = clock.timers.setTimeout(() => void look(), MINUTE_MS);
  }

  return {
    start: () => {
      isStopped = false;
      if (charts.length > 0) wait();
    },
    stop: () => {
      isStopped = true;
      clock.timers.clearTimeout(timer);
    },
  };
}

/** A day on which nothing has happened yet. */
function toDay(day: number): DayOfChart {
  return {
    fetched: { day, count: 0, ids: new Set() },
    end: undefined,
    pauseMs: MINUTE_MS / 2,
    pausedUntil: Number.NEGATIVE_INFINITY,
    fetchedBefore: 0,
  };
}
