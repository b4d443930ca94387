import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { encodeCursor } from '../../src/domain/cursor.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { range } from '../support/charts.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { fc } from '../support/fastCheck.ts';
import { type MovingChart, startMovingChart } from '../support/movingChart.ts';
import { createRankTable } from '../support/rankTable.ts';

interface Connection {
  readonly fetchedAt: string;
  readonly comparedWith: { readonly takenAt: string; readonly knownRanks: number } | null;
  readonly edges: {
    readonly rank: number;
    readonly node: { readonly itemId: string };
    readonly previousRank: number | null;
    readonly movement: string | null;
    readonly history: { readonly date: string; readonly rank: number }[];
  }[];
}

const HOUR = 3_600_000;
/** Ranks of each chart. */
const LENGTH = 50;
const REMEMBERED = 5;
const QUERY = `query ($region: CountryCode!, $first: Int, $after: String, $days: Int!) {
  trendingVideos(region: $region, first: $first, after: $after) {
    fetchedAt comparedWith { takenAt knownRanks }
    edges { rank node { itemId } previousRank movement history(days: $days) { date rank } }
  }
}`;

type Step =
  | {
      readonly type: 'read';
      readonly region: string;
      /** Ranks before the window. */
      readonly skip: number;
      readonly first: number;
      readonly days: number;
    }
  | { readonly type: 'wait'; readonly hours: number }
  | { readonly type: 'move'; readonly region: string; readonly from: number; readonly to: number }
  | { readonly type: 'drop'; readonly region: string; readonly rank: number }
  | { readonly type: 'resize'; readonly pageSize: number }
  | { readonly type: 'restart' };

let chart: MovingChart;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'history-'));
  chart = await startMovingChart();
});
afterAll(async () => {
  await chart.close();
  await rm(folder, { recursive: true, force: true });
});

/** Takes the steps, and compares each response with a plain table of who was seen where and when. */
async function follow(steps: readonly Step[], file: string): Promise<void> {
  const clock: TestClock = createTestClock(Date.UTC(2026, 0, 1, 9));
  const table = createRankTable(REMEMBERED);
  const start = (): Promise<TestApp> =>
    startApp(
      chart.url,
      {
        CACHE_FILE: path.join(folder, file),
        // So that windows have pages of two days.
        CACHE_TTL_SECONDS: String(8 * 3600),
        CACHE_STALE_SECONDS: '0',
        HISTORY_DAYS: String(REMEMBERED),
      },
      { clock, random: () => 0, prepareFrom: 2 },
    );
  let app = await start();
  for (const region of ['US', 'IN', 'GB']) chart.rows[region] = range(1, LENGTH);
  chart.pageSize = 20;
  chart.onPage = (page) => table.see({ ...page, at: clock.now() });

  async function read({ region, skip, first, days }: Extract<Step, { type: 'read' }>): Promise<void> {
    const chartOf = { region, period: 7, orderBy: 'VIEWS' } as const;
    const after = skip > 0 ? encodeCursor(chartOf, { rank: skip, itemId: null }) : null;
    const variables = { region, first, after, days };
    const { data, errors } = await app.query<{ trendingVideos: Connection }>(QUERY, variables);
    expect(errors).toBeUndefined();
    const connection = data?.trendingVideos;
    if (!connection) throw new Error('no data');
    const now = clock.now();
    // A window whose page came with another size is read again in that one.
    const pageSize = table.newest(region, 'any')?.pageSize ?? 20;
    const numbers = range(
      Math.floor(skip / pageSize) + 1,
      Math.ceil(Math.min(skip + first, LENGTH) / pageSize),
    );
    const pages = numbers.map((number) => table.newest(region, number));
    const fetchedAt = Math.min(...pages.map((page) => page?.at ?? Number.POSITIVE_INFINITY));
    const snapshot = table.snapshot(region, fetchedAt, now);
    expect(Date.parse(connection.fetchedAt)).toBe(fetchedAt);
    expect(connection.comparedWith).toEqual(
      snapshot && { takenAt: new Date(snapshot.takenAt).toISOString(), knownRanks: snapshot.knownRanks },
    );
    for (const { rank, node, previousRank, movement, history } of connection.edges) {
      const id = Number(node.itemId);
      const before = snapshot?.rankOf(id) ?? null;
      expect([rank, previousRank]).toEqual([rank, before]);
      const isKnown = snapshot !== null && before !== null;
      if (isKnown) expect(movement).toBe(before === rank ? 'SAME' : before > rank ? 'UP' : 'DOWN');
      else expect(movement).toBe(snapshot && rank <= snapshot.knownRanks ? 'NEW' : null);
      const at = table.newest(region, Math.ceil(rank / pageSize))?.at ?? 0;
      expect(history.map((point) => `${point.date}: ${point.rank}`)).toEqual(
        table.points(region, { id, rank, at }, days, now),
      );
    }
  }

  for (const step of steps) {
    const rows = 'region' in step ? [...(chart.rows[step.region] ?? [])] : [];
    if (step.type === 'read') await read(step);
    else if (step.type === 'wait') clock.advance(step.hours * HOUR);
    else if (step.type === 'resize') chart.pageSize = step.pageSize;
    else if (step.type === 'move') {
      rows.splice(step.to - 1, 0, ...rows.splice(step.from - 1, 1));
      chart.rows[step.region] = rows;
    } else if (step.type === 'drop') {
      rows[step.rank - 1] = rows[step.rank - 1] === null ? 1000 + step.rank : null;
      chart.rows[step.region] = rows;
    } else {
      await app.close();
      app = await start();
    }
  }
  await app.close();
}

describe('what moved is what a plain table of who was seen where and when says', () => {
  it('in a week of three charts, one read daily, one hourly, one with gaps', async () => {
    const steps: Step[] = [];
    const regions = { daily: 'US', hourly: 'IN', gaps: 'GB' };
    for (let hour = 0; hour < 7 * 24; hour++) {
      const day = Math.floor(hour / 24);
      for (const region of Object.values(regions)) {
        steps.push({
          type: 'move',
          region,
          from: 1 + ((hour * 7 + day) % LENGTH),
          to: 1 + ((hour * 3) % 12),
        });
      }
      steps.push({ type: 'read', region: regions.hourly, skip: 0, first: 10, days: 7 });
      if (hour % 24 === 3)
        steps.push({ type: 'read', region: regions.daily, skip: 0, first: LENGTH, days: 7 });
      if (hour % 24 === 6 && [0, 2, 5].includes(day)) {
        steps.push({ type: 'read', region: regions.gaps, skip: 0, first: 25, days: 7 });
      }
      if (hour === 80) steps.push({ type: 'restart' });
      steps.push({ type: 'wait', hours: 1 });
    }
    await follow(steps, 'week');
  }, 60_000);

  it('in any sequence of reads, moves, days and restarts', async () => {
    const region = fc.constantFrom('US', 'IN');
    const rank = fc.integer({ min: 1, max: LENGTH });
    const step: fc.Arbitrary<Step> = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          type: fc.constant('read' as const),
          region,
          skip: fc.constantFrom(0, 0, 0, 15, 20, 35),
          first: fc.integer({ min: 1, max: 60 }),
          days: fc.integer({ min: 1, max: 8 }),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          type: fc.constant('wait' as const),
          hours: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 16, max: 30 })),
        }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ type: fc.constant('move' as const), region, from: rank, to: rank }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          type: fc.constant('drop' as const),
          region,
          rank: fc.oneof(rank, fc.constant(1)),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({ type: fc.constant('resize' as const), pageSize: fc.constantFrom(10, 20) }),
      },
      { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
    );
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) =>
        follow(steps, `any-${run++}`),
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1) * 15 },
    );
  }, 120_000);
});
