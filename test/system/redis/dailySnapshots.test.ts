import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import { systemClock } from '../../../src/compose/systemClock.ts';
import type { Clock } from '../../../src/domain/clock.ts';
import { toUtcDay } from '../../../src/domain/utcDay.ts';
import { createArraySource, makeVideos, range, US_VIEWS } from '../../support/charts.ts';
import { createTestClock } from '../../support/clock.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { expirePages, type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const RANKS = 100;

let redis: TestRedis;
let replicas: TestReplica[];
let bill: number[];
let upstream: ReturnType<typeof createArraySource>;
/** By how much the replicas' wall clocks are ahead: a test chooses the time of the day. */
let aheadMs: number;
/** When set, responses wait for it. */
let gate: Promise<void> | undefined;

const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };

/** Sets the wall clocks to an hour of a UTC day; 0 is today. */
function setTime(day: number, hour: number): void {
  aheadMs = 0;
  aheadMs = (toUtcDay(clock.now()) + day) * DAY_MS + hour * HOUR_MS - clock.now();
}

/** Starts a replica that notes the first ranks of a chart daily; `look` has it look, and resolves when it has. */
async function start(options: Partial<ReplicaOptions> = {}) {
  const replica = await startReplica({
    url: redis.url,
    clock,
    source: async (key, call) => {
      const page = await upstream.source(key, call);
      await gate;
      return { ...page, fetchedAt: clock.now() };
    },
    ...options,
  });
  replicas.push(replica);
  const timers = createTestClock();
  replica.noteDaily(RANKS, timers.timers);
  const look = async (): Promise<void> => {
    timers.expireDeadlines(MINUTE_MS);
    await poll(() => timers.deadlines().includes(MINUTE_MS));
  };
  return { replica, look };
}

/** How many ranks of the chart the replica has noted today. */
function notedRanks({ history }: TestReplica): number | undefined {
  return history.onDay(US_VIEWS, toUtcDay(clock.now()))?.snapshot?.knownRanks;
}

/** The events of all replicas. */
function takenEvents(): unknown[] {
  return replicas.flatMap(({ events }) => events.filter(({ type }) => type === 'snapshotTaken'));
}

describeWithRedis('daily snapshots of replicas', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    await redis.client.flushall();
    replicas = [];
    gate = undefined;
    upstream = createArraySource({ rows: makeVideos(1, 500), pageSize: 20 });
    ({ bill } = upstream);
    setTime(0, 18);
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('are paid for once when all look at the same moment', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    let release = (): void => undefined;
    gate = new Promise((resolve) => {
      release = resolve;
    });
    const looks = [first.look(), second.look()];
    // One of them waits for the other's page.
    await poll(() => replicas.some((replica) => replica.waits() > 0));
    release();
    await Promise.all(looks);
    expect([...bill].sort()).toEqual(range(1, 5));
    expect(takenEvents()).toHaveLength(1);
    await Promise.all([first.look(), second.look()]);
    expect(bill).toHaveLength(5);
  });

  it('are paid for once when one looks after the other, whose pages it notes', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await first.look();
    await second.look();
    expect(bill).toEqual(range(1, 5));
    expect(notedRanks(second.replica)).toBe(RANKS);
    expect(takenEvents()).toEqual([{ type: 'snapshotTaken', chart: 'US:7:VIEWS', ranks: RANKS, pages: 5 }]);
    expect(second.replica.events.filter(({ type }) => type === 'snapshotTaken')).toEqual([]);
  });

  it('are paid for once when one looks right after the other, and has looked today up before', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await second.replica.history.lookUp(US_VIEWS, toUtcDay(clock.now()) + 1);
    await first.look();
    // Before a heartbeat has told it what has changed.
    await second.look();
    expect(bill).toEqual(range(1, 5));
  });

  it('are paid for once although the pages of the day before are still fresh everywhere', async () => {
    const ttlMs = 7 * DAY_MS;
    setTime(-1, 20);
    const [first, second] = await Promise.all([start({ ttlMs }), start({ ttlMs })]);
    await first.replica.read({ first: RANKS });
    await second.replica.read({ first: RANKS });
    expect(bill).toHaveLength(5);
    setTime(0, 18);
    await Promise.all([first.look(), second.look()]);
    expect(bill.slice(5).sort()).toEqual(range(1, 5));
    // A replica that starts in the evening finds them, too.
    const third = await start({ ttlMs });
    await third.look();
    expect(bill).toHaveLength(10);
    expect(notedRanks(third.replica)).toBe(RANKS);
  });

  it('fetch only what operations on other replicas have not read today', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await first.replica.read({ first: 60 });
    await second.look();
    expect(bill).toEqual([1, 2, 3, 4, 5]);
    expect(takenEvents()).toMatchObject([{ pages: 2 }]);
  });

  it('are paid for once even if the pages have expired before the other one looks', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    await first.look();
    await expirePages(redis, replicas);
    await second.look();
    expect(bill).toEqual(range(1, 5));
    expect(notedRanks(second.replica)).toBe(RANKS);
  });

  it('fetch nothing while Redis is down, and make up for it later', async () => {
    const { replica, look } = await start();
    await redis.kill();
    await poll(() => !replica.redis.isUp());
    await look();
    expect(bill).toEqual([]);
    await redis.start();
    await poll(() => replica.redis.isUp());
    await look();
    expect(bill).toEqual(range(1, 5));
  });
});
