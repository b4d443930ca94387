import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import { encodeRanks } from '../../../src/data/history/ranksText.ts';
import type { Chart } from '../../../src/domain/chart.ts';
import type { Page } from '../../../src/domain/page.ts';
import { DAY_MS } from '../../../src/domain/utcDay.ts';
import { startApp } from '../../support/app.ts';
import { makeVideo, range, US_VIEWS } from '../../support/charts.ts';
import { fc } from '../../support/fastCheck.ts';
import { startMovingChart } from '../../support/movingChart.ts';
import { makeRanks } from '../../support/ranks.ts';
import { type HistoryReplica, type KnownDay, startHistoryReplica } from '../support/historyReplica.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';

const IN_VIEWS: Chart = { ...US_VIEWS, region: 'IN' };
const DAYS = 4;
const FIRST_DAY = 20_000;

let redis: TestRedis;
let replicas: HistoryReplica[];
let now: number;

async function start(): Promise<HistoryReplica> {
  const replica = await startHistoryReplica({ url: redis.url, now: () => now, days: DAYS });
  replicas.push(replica);
  return replica;
}

/** A page that is fetched now. */
function makePage(
  ids: readonly (number | null)[],
  { number = 1, pageSize = 20, chart = US_VIEWS } = {},
): Page {
  const rows = ids.map((id) => (id === null ? null : makeVideo(id)));
  return { chart, number, pageSize, rows, hasMore: true, totalCount: 500, fetchedAt: now };
}

describeWithRedis('the ranks of the last days, shared through Redis', () => {
  beforeEach(async () => {
    redis = await startRedis();
    replicas = [];
    now = FIRST_DAY * DAY_MS + 1000;
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await redis.close();
  });

  it('are known to a replica that starts on the third day', async () => {
    const first = await start();
    await first.note(makePage([1, 2, 3]));
    now += DAY_MS;
    await first.note(makePage([2, 1], { number: 1 }));
    await first.note(makePage([3], { number: 2 }));
    now += DAY_MS;
    const late = await start();
    expect(await late.read(US_VIEWS, FIRST_DAY)).toEqual({
      ranks: { 1: 1, 2: 2, 3: 3 },
      snapshot: { takenAt: FIRST_DAY * DAY_MS + 1000, knownRanks: 3 },
    });
    expect((await late.read(US_VIEWS, FIRST_DAY + 1))?.ranks).toEqual({ 2: 1, 1: 2, 3: 21 });
    expect(await late.read(IN_VIEWS, FIRST_DAY)).toBeUndefined();
  });

  it('are what a server compares with that starts on the third day', async () => {
    const chart = await startMovingChart();
    const variables = { REDIS_URL: redis.url, REDIS_TIMEOUT_MS: '1500' };
    const clock = { ...systemClock, now: () => now };
    const query = `{ trendingVideos(first: 2) { comparedWith { takenAt knownRanks }
      edges { previousRank movement history { rank } node { itemId } } } }`;
    chart.rows.US = range(1, 60);
    const first = await startApp(chart.url, variables, { clock });
    await first.query(query);
    await first.close();
    // What else it has cached in Redis is still fresh by the clock of Redis.
    await redis.client.del(...(await redis.client.keys('*:page:*')));
    chart.rows.US = [2, 1, ...range(3, 60)];
    now += 2 * DAY_MS;
    const late = await startApp(chart.url, variables, { clock });
    const { data, extensions } = await late.query(query);
    await late.close();
    await chart.close();
    expect(extensions.upstream.requests).toBe(1);
    expect(data).toEqual({
      trendingVideos: {
        comparedWith: { takenAt: new Date(FIRST_DAY * DAY_MS + 1000).toISOString(), knownRanks: 20 },
        edges: [
          { previousRank: 2, movement: 'UP', history: [{ rank: 2 }, { rank: 1 }], node: { itemId: '2' } },
          { previousRank: 1, movement: 'DOWN', history: [{ rank: 1 }, { rank: 2 }], node: { itemId: '1' } },
        ],
      },
    });
  });

  it('are stored for as long as they may be asked for', async () => {
    await (await start()).note(makePage([1]));
    const [key = ''] = await redis.client.keys('test:ranks:*');
    expect(key).toBe(`test:ranks:US:7:VIEWS:${FIRST_DAY}`);
    const days = (await redis.client.pttl(key)) / DAY_MS;
    expect(days).toBeGreaterThan(DAYS);
    expect(days).toBeLessThanOrEqual(DAYS + 1);
  });

  it('are stored again when Redis has lost them, and come from all who know some', async () => {
    const [one, other] = [await start(), await start()];
    await one.note(makePage([1, 2]));
    await other.note(makePage([3], { number: 2 }));
    now += DAY_MS;
    await redis.kill();
    await poll(() => !one.redis.isUp() && !other.redis.isUp());
    now -= DAY_MS;
    await one.note(makePage([4], { number: 3 }));
    now += DAY_MS;
    await redis.start();
    await poll(async () => (await redis.client.hlen(`test:ranks:US:7:VIEWS:${FIRST_DAY}`)) === 3);
    await other.follow();
    const ranks = { 1: 1, 2: 2, 3: 21, 4: 41 };
    for (const replica of [one, other, await start()])
      expect((await replica.read(US_VIEWS, FIRST_DAY))?.ranks).toEqual(ranks);
  });

  it('are announced only when they change', async () => {
    const [one, other] = [await start(), await start()];
    await one.note(makePage([1, 2]), 1000);
    now += DAY_MS;
    await other.follow();
    await other.read(US_VIEWS, FIRST_DAY);
    const changes = other.history.changesOf(US_VIEWS);
    now -= DAY_MS;
    await one.note(makePage([3, 4]), 999);
    await one.note(makePage([1, 2]), 1000);
    now += DAY_MS;
    await other.follow();
    expect(other.history.changesOf(US_VIEWS)).toBe(changes);
    now -= DAY_MS;
    await one.note(makePage([2, 1]), 1001);
    now += DAY_MS;
    await other.follow();
    expect(other.history.changesOf(US_VIEWS)).toBe(changes + 1);
    expect((await other.read(US_VIEWS, FIRST_DAY))?.ranks).toEqual({ 2: 1, 1: 2 });
  });

  it('are not taken from values that are not ours, which are replaced', async () => {
    const key = `test:ranks:US:7:VIEWS:${FIRST_DAY}`;
    const ahead = Date.now() * 1000 + 1e12;
    const fetchedAt = now;
    await redis.client.hset(key, {
      '1-1': encodeRanks(makeRanks(['7'], { sequence: ahead, fetchedAt })),
      '2-2': 'nonsense',
      '3-3': encodeRanks(makeRanks(['8'], { firstRank: 3, fetchedAt: now + DAY_MS })),
      '4-4': encodeRanks(makeRanks(['9'], { firstRank: 4, fetchedAt })),
      '5-5': encodeRanks(makeRanks(['abc'], { firstRank: 5, fetchedAt })),
    });
    await redis.client.set(`test:ranks:US:7:VIEWS:${FIRST_DAY - 1}`, 'of another type');
    const replica = await start();
    expect(await replica.read(US_VIEWS, FIRST_DAY - 1)).toBeUndefined();
    expect((await replica.read(US_VIEWS, FIRST_DAY))?.ranks).toEqual({ 9: 4 });
    await replica.note(makePage([1]));
    expect((await (await start()).read(US_VIEWS, FIRST_DAY))?.ranks).toEqual({ 1: 1, 9: 4 });
  });

  it('are on every replica what a plain table of who was seen where and when says', async () => {
    const pages = fc.record({
      chart: fc.constantFrom(US_VIEWS, IN_VIEWS),
      replica: fc.nat({ max: 2 }),
      number: fc.integer({ min: 1, max: 3 }),
      pageSize: fc.constantFrom(2, 4),
      ids: fc.array(fc.option(fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 4 }),
    });
    /** Some pages on each of some days; a replica that restarts at its end, if any. */
    const days = fc.array(
      fc.record({ pages: fc.array(pages, { maxLength: 5 }), restarts: fc.option(fc.nat({ max: 2 })) }),
      { minLength: 3, maxLength: 6 },
    );

    await fc.assert(
      fc.asyncProperty(days, async (history) => {
        await redis.client.flushall();
        now = FIRST_DAY * DAY_MS + 1000;
        const fleet = [await start(), await start(), await start()];
        let sequence = Math.round(Date.now() * 1000) - 1e9;
        const table = new Map<string, Map<number, { id: number; at: number; page: number }>>();
        for (const [index, { pages, restarts }] of history.entries()) {
          for (const { chart, replica, number, pageSize, ids } of pages) {
            now += 1000;
            sequence++;
            const page = makePage(ids.slice(0, pageSize), { chart, number, pageSize });
            await fleet[replica]?.note(page, sequence);
            const key = `${chart.region} ${FIRST_DAY + index}`;
            const seen = table.get(key) ?? new Map();
            table.set(key, seen);
            for (const [offset, id] of ids.slice(0, pageSize).entries())
              if (id !== null)
                seen.set((number - 1) * pageSize + offset + 1, { id, at: now, page: sequence });
          }
          if (restarts !== null) {
            await fleet[restarts]?.close();
            fleet[restarts] = await start();
          }
          await Promise.all(fleet.map((replica) => replica.follow()));
          for (const chart of [US_VIEWS, IN_VIEWS]) {
            for (let day = FIRST_DAY + index - DAYS; day <= FIRST_DAY + index; day++) {
              const isKept = day > FIRST_DAY + index - DAYS;
              const seen = isKept ? table.get(`${chart.region} ${day}`) : undefined;
              const expected = seen && seen.size > 0 ? toKnownDay(seen) : undefined;
              for (const replica of fleet) expect(await replica.read(chart, day)).toEqual(expected);
            }
          }
          now = (FIRST_DAY + index + 1) * DAY_MS + 1000;
        }
        await Promise.all(fleet.map((replica) => replica.close()));
      }),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 1) * 5 },
    );
  }, 120_000);
});

/** What the table of a day says: each video where it was seen last, the better rank if that was on one page. */
function toKnownDay(seen: ReadonlyMap<number, { id: number; at: number; page: number }>): KnownDay {
  const ranks: Record<string, number> = {};
  const byTime = [...seen].sort(([a, one], [b, other]) => one.page - other.page || b - a);
  for (const [rank, { id }] of byTime) ranks[id] = rank;
  let knownRanks = 0;
  while (seen.has(knownRanks + 1)) knownRanks++;
  const first = seen.get(1);
  return { ranks, snapshot: first && { takenAt: first.at, knownRanks } };
}
