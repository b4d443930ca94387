import { DAY_MS, toIsoDate, toUtcDay } from '../../src/domain/utcDay.ts';

/** A page that was fetched. */
export interface SeenPage {
  readonly chart: string;
  readonly number: number;
  readonly pageSize: number;
  readonly ids: readonly (number | null)[];
  /** Unix milliseconds. */
  readonly at: number;
}

/** What a response ought to say of a video. */
export interface ExpectedEdge {
  readonly rank: number;
  readonly id: number;
  readonly previousRank: number | null;
  readonly movement: string | null;
  readonly history: readonly string[];
}

/** A plain table of who was seen where and when: what `previousRank` and all the rest are defined by. */
export function createRankTable(days: number) {
  const pages: SeenPage[] = [];

  /** By rank, the video that was seen there last on a day, with the page that it was seen on. */
  function seenOn(
    chart: string,
    day: number,
    today: number,
  ): Map<number, { id: number; page: number; at: number }> {
    const seen = new Map<number, { id: number; page: number; at: number }>();
    if (day <= today - days) return seen;
    for (const [page, { chart: other, number, pageSize, ids, at }] of pages.entries()) {
      if (other !== chart || toUtcDay(at) !== day) continue;
      ids.forEach((id, index) => {
        if (id !== null) seen.set((number - 1) * pageSize + index + 1, { id, page, at });
      });
    }
    return seen;
  }

  /** The rank of a video: where it was seen last; the better one if that was on one page. */
  function rankOf(seen: ReturnType<typeof seenOn>, id: number): number | null {
    const places = [...seen].filter(([, place]) => place.id === id);
    const last = Math.max(...places.map(([, { page }]) => page));
    const ranks = places.filter(([, { page }]) => page === last).map(([rank]) => rank);
    return ranks.length === 0 ? null : Math.min(...ranks);
  }

  return {
    see: (page: SeenPage): void => void pages.push(page),
    /** The page, or any page of the chart, as it was fetched last. */
    newest: (chart: string, number: number | 'any'): SeenPage | undefined =>
      pages.findLast((page) => page.chart === chart && (number === 'any' || page.number === number)),

    /** The snapshot that pages are compared with whose oldest was fetched at `fetchedAt`. */
    snapshot(chart: string, fetchedAt: number, now: number) {
      for (let day = toUtcDay(fetchedAt) - 1; day > toUtcDay(now) - days; day--) {
        const seen = seenOn(chart, day, toUtcDay(now));
        const first = seen.get(1);
        if (!first) continue;
        let knownRanks = 0;
        while (seen.has(knownRanks + 1)) knownRanks++;
        return { takenAt: first.at, knownRanks, rankOf: (id: number) => rankOf(seen, id) };
      }
      return null;
    },

    /** The points of a video whose row is on a page that was fetched at `at`, as `2026-01-01: 1`. */
    points(
      chart: string,
      { id, rank, at }: { id: number; rank: number; at: number },
      count: number,
      now: number,
    ) {
      const points: string[] = [];
      for (let day = toUtcDay(at) - count + 1; day < toUtcDay(at); day++) {
        const known = rankOf(seenOn(chart, day, toUtcDay(now)), id);
        if (known !== null) points.push(`${toIsoDate(day)}: ${known}`);
      }
      return [...points, `${new Date(Math.floor(at / DAY_MS) * DAY_MS).toISOString().slice(0, 10)}: ${rank}`];
    },
  };
}
