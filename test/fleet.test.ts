import { afterEach, describe, expect, it } from '@jest/globals';
import { type Fleet, startFleet } from './support/fleet.ts';
import { startRedis, type TestRedis, whyNoRedis } from './support/redis.ts';
import { makeTrace } from './support/trace.ts';

const OPERATIONS = Number(process.env.TRACE_OPERATIONS ?? 600);

let redis: TestRedis;
let fleet: Fleet;

afterEach(async () => {
  await fleet.close();
  await redis.close();
});

/** Runs the trace over the fleet, 16 operations at a time; `atHalf` in the middle. */
async function runTrace(atHalf: () => unknown = () => undefined) {
  const trace = makeTrace(OPERATIONS);
  const touched = new Set(trace.flatMap(({ pages }) => pages));
  const failed: unknown[] = [];
  let claimed = 0;
  let slowest = 0;
  let next = 0;
  async function work(): Promise<void> {
    while (next < trace.length) {
      const index = next++;
      if (index === Math.floor(trace.length / 2)) await atHalf();
      const startedAt = performance.now();
      const answer = await fleet.replicas[index % fleet.replicas.length]?.query(trace[index]?.query ?? '');
      slowest = Math.max(slowest, performance.now() - startedAt);
      if (performance.now() - startedAt > 400)
        process.stdout.write(
          `${index} ${Math.round(performance.now() - startedAt)} ${JSON.stringify(answer?.extensions.upstream)}\n`,
        );
      claimed += answer?.extensions.upstream.requests ?? 0;
      if (!answer || answer.errors) failed.push(answer);
    }
  }
  await Promise.all(Array.from({ length: 16 }, work));
  return { touched, failed, claimed, slowest };
}

const VARIABLES = { KEYAPI_QPS: '10000', KEYAPI_CONCURRENCY: '64' };

(whyNoRedis ? describe.skip : describe)(`a fleet with Redis (${whyNoRedis ?? 'real'})`, () => {
  it.each([1, 4])(
    'pays for each page of a trace once, with %d replicas',
    async (count) => {
      redis = await startRedis();
      fleet = await startFleet(count, { ...VARIABLES, REDIS_URL: process.env.NOREDIS ? '' : redis.url });
      const startedAt = performance.now();
      const { touched, failed, claimed, slowest } = await runTrace();
      process.stdout.write(
        `${count}: ${touched.size} ${fleet.bill.length} ${claimed} slowest ${slowest} in ${performance.now() - startedAt}\n`,
      );
      process.stdout.write(
        fleet.replicas
          .map((r) => r.program.output())
          .join('')
          .split('\n')
          .filter((l) => /warn|error/.test(l))
          .slice(0, 10)
          .join('\n'),
      );
      expect(failed).toEqual([]);
      expect([...fleet.bill].sort()).toEqual([...touched].sort());
      expect(claimed).toBe(fleet.bill.length);
    },
    300_000,
  );
});
