import type { ChartWindow } from '../../data/windows/cutInSteps.ts';
import type { Chart } from '../../domain/chart.ts';
import { encodeCursor } from '../../domain/cursor.ts';
import { memoise } from '../../domain/memoise.ts';
import { type Page, rankOffset } from '../../domain/page.ts';
import type { ChartSnapshot } from '../../domain/ranks.ts';
import type { RankedVideo } from '../../domain/window/index.ts';
import type { ConnectionHistory } from '../history/connectionHistory.ts';
import type { ListStats } from '../stats/readStats.ts';
import { TrendingVideoType } from '../types/trendingVideo.type.ts';
import type { PageInfoType } from './pageInfo.type.ts';
import { type TrendingVideoConnectionType, TrendingVideoEdgeType } from './trendingVideoConnection.type.ts';

/** What was read beside the window, where it is selected. */
interface Selected {
  /** The numbers on its videos. */
  readonly stats?: ListStats | undefined;
  /** What past days say about its videos. */
  readonly history?: ConnectionHistory | undefined;
}

/** The connection of a window. Its lists are built on demand; its facts are undefined if they were not read. */
export class WindowConnection
  implements Omit<TrendingVideoConnectionType, 'totalCount' | 'fetchedAt' | 'stale'>, Selected
{
  readonly #chart: Chart;
  readonly #window: ChartWindow;
  #pageInfo: PageInfoType | undefined;
  readonly stats: ListStats | undefined;
  readonly history: ConnectionHistory | undefined;

  constructor(chart: Chart, window: ChartWindow, { stats, history }: Selected = {}) {
    this.#chart = chart;
    this.#window = window;
    this.stats = stats;
    this.history = history;
  }

  /** The rows of the window. */
  get rows(): readonly RankedVideo[] {
    return this.#window.videos;
  }

  get edges(): TrendingVideoEdgeType[] {
    return this.rows.map(
      (row) =>
        new TrendingVideoEdgeType(row, { cursor: cursorOf(row), node: this.#nodeOf(row) }, this.history),
    );
  }

  get nodes(): TrendingVideoType[] {
    return this.rows.map((row) => this.#nodeOf(row));
  }

  get pageInfo(): PageInfoType {
    // Compiled code reads it once for each field below it.
    this.#pageInfo ??= this.#toPageInfo();
    return this.#pageInfo;
  }

  #toPageInfo(): PageInfoType {
    const { ranks, facts } = this.#window;
    const isEmpty = ranks.last < ranks.first;
    if (isEmpty) return { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null };
    return {
      hasNextPage: facts !== undefined && ranks.last < facts.chartLength,
      hasPreviousPage: ranks.first > 1,
      startCursor: this.#cursorOf(this.rows.at(0), ranks.first),
      endCursor: this.#cursorOf(this.rows.at(-1), ranks.last),
    };
  }

  get totalCount(): number | undefined {
    return this.#window.facts?.chartLength;
  }

  get fetchedAt(): number | undefined {
    return this.#window.facts?.fetchedAt;
  }

  get stale(): boolean | undefined {
    return this.#window.facts?.stale;
  }

  get comparedWith(): ChartSnapshot | null {
    return this.history?.comparedWith ?? null;
  }

  /** The same connection with all readable rows of a page. */
  ofPage(page: Page): WindowConnection {
    const videos = page.rows.flatMap((video, index) =>
      video ? [{ rank: rankOffset(page) + index + 1, video, page }] : [],
    );
    return new WindowConnection(this.#chart, { ...this.#window, videos }, this);
  }

  #nodeOf({ video }: RankedVideo): TrendingVideoType {
    return new TrendingVideoType(video, this.stats?.of(video.itemId));
  }

  /** When all rows of a window were dropped, cursors with a rank alone let a client page on. */
  #cursorOf(row: RankedVideo | undefined, rank: number): string {
    return row ? cursorOf(row) : encodeCursor(this.#chart, { rank, itemId: null });
  }
}

/** Encoded once for each row of a page. */
const cursorsOf = memoise((_page: Page) => new Map<number, string>());

function cursorOf({ rank, video: { itemId }, page }: RankedVideo): string {
  const cursors = cursorsOf(page);
  const known = cursors.get(rank);
  if (known !== undefined) return known;
  const cursor = encodeCursor(page.chart, { rank, itemId });
  cursors.set(rank, cursor);
  return cursor;
}
