import type { Fleet } from './fleet.ts';
import { makeTrace } from './trace.ts';

/** Enough for every kind of window; the whole trace is 10,000. */
const TRACE_OPERATIONS = Number(process.env.TRACE_OPERATIONS ?? 400);
export const TRACE_TIMEOUT_MS = 300_000;

/** Runs the trace over the fleet, 16 operations at a time; calls `atHalf` in the middle. */
export async function runTrace(fleet: Fleet, atHalf: () => unknown = () => undefined) {
  const trace = makeTrace(TRACE_OPERATIONS);
  const failed: unknown[] = [];
  let reportedRequests = 0;
  let next = 0;
  async function work(): Promise<void> {
    for (let index = next++; index < trace.length; index = next++) {
      if (index === Math.floor(trace.length / 2)) await atHalf();
      const result = await fleet.replicas[index % fleet.replicas.length]?.query(trace[index]?.query ?? '');
      reportedRequests += result?.extensions.upstream.requests ?? 0;
      if (!result || result.errors) failed.push(result);
    }
  }
  await Promise.all(Array.from({ length: 16 }, work));
  const neededPages = [...new Set(trace.flatMap(({ pages }) => pages))].sort();
  if (process.env.TRACE_OPERATIONS) {
    const figures = { replicas: fleet.replicas.length, operations: trace.length, failed: failed.length };
    const line = JSON.stringify({
      ...figures,
      distinctPages: neededPages.length,
      requests: fleet.emulator.bill.length,
      reportedRequests,
    });
    process.stdout.write(`${line}\n`);
  }
  return { neededPages, failed, reportedRequests };
}
