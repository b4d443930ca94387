import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { findFreePort } from '../support/freePort.ts';
import { parseMetrics } from '../support/metrics.ts';
import { describeWith } from './support/describeWith.ts';
import { poll } from './support/poll.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from './support/redis.ts';

let redis: TestRedis;
let program: Program;
let metricsUrl: string;
let url: string;

async function start(): Promise<void> {
  redis = await startRedis();
  const port = await findFreePort();
  metricsUrl = `http://127.0.0.1:${port}/metrics`;
  program = startProgram([process.execPath, MAIN], {
    ...PATIENT,
    PORT: '0',
    METRICS_PORT: String(port),
    REDIS_URL: redis.url,
    CREDIT_BUDGET_PER_DAY: '1000',
  });
  [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
  await postQuery(url, 'query Top { trendingVideos { nodes { title stats { views } } } }');
  await postQuery(url, 'query Top { trendingVideos { nodes { title stats { views } } } }');
  await postQuery(url, '{ nothing }');
}

async function stop(): Promise<void> {
  program.child.kill('SIGKILL');
  await program.exit;
  await redis.close();
}

const scrape = async (): Promise<string> => (await fetch(metricsUrl)).text();

describeWithRedis('the metrics of a server that has all of them', () => {
  describeWith('promtool', 'are checked by promtool', () => {
    beforeAll(start);
    afterAll(stop);

    it('which has nothing to say', async () => {
      const text = await scrape();
      // With budget and Redis there are all that docs/operations.md lists.
      expect(parseMetrics(text).series('trending_budget_credits_left')).toHaveLength(1);
      expect(parseMetrics(text).value('trending_redis_up')).toBe(1);
      const check = execFile('promtool', ['check', 'metrics']);
      let said = '';
      for (const stream of [check.stdout, check.stderr]) stream?.on('data', (part) => (said += part));
      check.stdin?.end(text);
      const [code] = await once(check, 'close');
      expect([said, code]).toEqual(['', 0]);
    });
  });
});

describeWithRedis('a server whose Redis goes down twice within a minute', () => {
  beforeAll(start);
  afterAll(stop);

  it('logs each outage and its end, and counts both', async () => {
    const count = (pattern: RegExp): number => program.output().match(pattern)?.length ?? 0;
    const downs = () => count(/"msg":"Redis is down:/g);
    const ups = () => count(/"msg":"Redis is up:/g);
    expect([downs(), ups()]).toEqual([0, 1]);
    for (let outage = 1; outage <= 2; outage++) {
      await redis.kill();
      await poll(() => downs() === outage);
      await redis.start();
      await poll(() => ups() === outage + 1);
      expect(parseMetrics(await scrape()).value('trending_redis_outages_total')).toBe(outage);
    }
    expect([downs(), ups()]).toEqual([2, 3]);
    expect(parseMetrics(await scrape()).value('trending_redis_up')).toBe(1);
  });

  it('leaves no line of a scrape in the log', async () => {
    const before = program.output();
    await fetch(`${metricsUrl}?token=secret`);
    expect((await fetch(metricsUrl, { method: 'POST' })).status).toBe(405);
    await postQuery(url, 'query AfterScrapes { __typename }');
    await program.see(/AfterScrapes/);
    expect(program.output().slice(before.length)).toMatch(/^[^\n]*"operation":"AfterScrapes"[^\n]*\n$/);
  });
});
