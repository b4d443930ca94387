import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Chart } from '../../../src/domain/chart.ts';
import { makePage, makeVideos, US_VIEWS } from '../../support/charts.ts';
import type { PageSource } from '../../support/sources.ts';
import { poll } from '../support/poll.ts';
import { describeWithRedis, startRedis, type TestRedis, watchCommands } from '../support/redis.ts';
import { expirePages, type ReplicaOptions, startReplica, type TestReplica } from '../support/replica.ts';

const DE_VIEWS: Chart = { ...US_VIEWS, region: 'DE' };

let redis: TestRedis;
let replicas: TestReplica[];
/** Item id of the first rank of every chart. */
let top: number;
let bill: string[];

/** Every chart has the same videos; their titles name the fetch that returned them. */
const source: PageSource = async ({ chart, number }, { onSent }) => {
  onSent();
  bill.push(`${chart.region}:${number}`);
  const rows = makeVideos(top, top + 99).map((video) => ({ ...video, title: `fetch ${bill.length}` }));
  return makePage(rows, number, 20, { chart, fetchedAt: Date.now() });
};

async function start(options: Partial<ReplicaOptions> = {}): Promise<TestReplica> {
  const replica = await startReplica({ url: redis.url, source, ...options });
  replicas.push(replica);
  return replica;
}

async function startTwo(options: Partial<ReplicaOptions> = {}): Promise<[TestReplica, TestReplica]> {
  return [await start(options), await start(options)];
}

const first = { first: 20 };
const FREE = { requests: 0, pages: { cached: 1, stale: 0, shared: 0, fetched: 0 } };

describeWithRedis('videos that other replicas have cached', () => {
  beforeAll(async () => {
    redis = await startRedis();
  });

  beforeEach(async () => {
    replicas = [];
    top = 1;
    bill = [];
    await redis.client.flushall();
  });

  afterEach(() => Promise.all(replicas.map((replica) => replica.close())));
  afterAll(() => redis.close());

  it('are found on any page of any chart, at no cost', async () => {
    const [one, two] = await startTwo();
    await one.read({ first: 40 });
    await one.read(first, DE_VIEWS);
    expect(await two.find('7', '999', '27')).toEqual({
      titles: ['fetch 3', undefined, 'fetch 2'],
      requests: 0,
      credits: 0,
      pages: { ...FREE.pages, cached: 2 },
    });
    expect(bill).toEqual(['US:1', 'US:2', 'DE:1']);
  });

  it('are found in their newest copy, whichever chart or replica has it', async () => {
    const [one, two] = await startTwo();
    await one.read(first);
    expect((await two.find('7')).titles).toEqual(['fetch 1']);
    await one.read(first, DE_VIEWS);
    expect((await two.find('7')).titles).toEqual(['fetch 2']);
    // The replicas know Redis's clock only roughly.
    const newest = one.store.find('7')?.page.sequence ?? 0;
    await poll(() => two.redis.now() * 1000 > newest);
    await two.read(first, { ...US_VIEWS, region: 'FR' });
    expect((await Promise.all([one.find('7'), two.find('7')])).map(({ titles }) => titles)).toEqual([
      ['fetch 3'],
      ['fetch 3'],
    ]);
  });

  it('are not found on a page that has been replaced', async () => {
    const one = await start();
    await one.read(first);
    top = 11;
    await expirePages(redis, replicas);
    await one.read({ first: 30 });
    const two = await start();
    expect((await two.find('5', '15')).titles).toEqual([undefined, expect.stringMatching(/fetch [23]/)]);
    // The page is no longer listed either.
    expect(await redis.client.zcard('test:video:5')).toBe(0);
  });

  it('are found on the second-newest page when the newest is gone', async () => {
    const [one, two] = await startTwo();
    await one.read(first);
    await one.read(first, DE_VIEWS);
    await redis.client.del('test:page:DE:7:VIEWS:1');
    expect((await two.find('7')).titles).toEqual(['fetch 1']);
  });

  it('are looked up in two round trips for all lookups of one tick, in one when nothing is newer', async () => {
    const [one, two] = await startTwo();
    await one.read({ first: 60 });
    const { commands, stop } = await watchCommands(redis);
    await Promise.all([two.find('1', '21'), two.find('41', '2')]);
    await two.find('1', '21', '999');
    await stop();
    const lookups = commands.flatMap(([name = '', ...args]) => {
      const reads = (kind: string) => args.some((arg) => arg.startsWith(`test:${kind}:`));
      if (name === 'mget') return [name];
      return reads('page') ? ['read'] : reads('video') ? ['find'] : [];
    });
    expect(lookups).toEqual(['find', 'read', 'find']);
  });

  it('expire no later than their pages', async () => {
    const one = await start({ ttlMs: 100, staleMs: 2000 });
    await one.read(first);
    expect(await redis.client.pttl('test:video:7')).toBeGreaterThan(0);
    // Replicas estimate Redis's clock: both may live a moment longer than the 2100 ms, but never the list alone.
    const left = await redis.client.multi().pttl('test:page:US:7:VIEWS:1').pttl('test:video:7').exec();
    const [pageMs, videoMs] = (left ?? []).map(([, ms]) => Number(ms));
    expect(pageMs).toBeGreaterThan(0);
    expect(videoMs).toBeLessThanOrEqual(pageMs ?? 0);
    await poll(async () => (await redis.client.keys('test:video:*')).length === 0);
    await poll(() => one.store.copies(US_VIEWS).length === 0);
    expect((await one.find('7')).titles).toEqual([undefined]);
  });

  it('are found among the pages cached here while Redis is down', async () => {
    const one = await start();
    await one.read(first);
    await redis.kill();
    expect((await one.find('7', '999')).titles).toEqual(['fetch 1', undefined]);
    await redis.start();
  });

  it('are listed again when Redis has lost all data, or only the lists', async () => {
    const one = await start();
    await one.read(first);
    for (const lose of [
      () => redis.client.flushall(),
      async () => redis.client.del('test:replicas', ...(await redis.client.keys('test:video:*'))),
    ]) {
      await lose();
      // The next heartbeat finds that this replica is no longer registered.
      await poll(async () => (await redis.client.exists('test:video:7')) === 1);
      const two = await start();
      expect((await two.find('7')).titles).toEqual(['fetch 1']);
    }
  });

  it('are found despite invalid values in Redis', async () => {
    const [one, two] = await startTwo();
    await one.read(first);
    const later = Date.now() * 1000 + 1e9;
    await redis.client.zadd(
      'test:video:7',
      later,
      'XX:7:VIEWS:1',
      later,
      '',
      later,
      'US:7:VIEWS:01',
      later,
      'US:7:VIEWS:1 ',
    );
    await redis.client.set('test:page:XX:7:VIEWS:1', `${later} ${later} ${later} 0 XX:7:VIEWS:1\nnothing`);
    await redis.client.set('test:video:8', 'text');
    expect((await two.find('7', '8', '9')).titles).toEqual(['fetch 1', 'fetch 1', 'fetch 1']);
    expect(await redis.client.zrange('test:video:7', 0, -1)).toEqual(['US:7:VIEWS:1']);
  });
});
