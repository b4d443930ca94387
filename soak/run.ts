import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type FaultyUpstream, startFaultyUpstream } from './faultyUpstream.ts';
import { runLoad } from './load.ts';
import { startRestartingRedis } from './redis.ts';
import { type Replica, startReplica } from './replica.ts';
import { type Bill, toReport } from './report.ts';

const USAGE = `Usage: npm run soak -- [options]

  --minutes N    duration (10)
  --rate N       operations per second (50)
  --replicas N   server processes (2)
`;
/** Interval of memory samples; shorter in runs that would otherwise have fewer than 40. */
const SAMPLE_MS = 5000;
/** How long upstream calls may still be in flight after the last response. */
const SETTLE_MS = 20_000;

interface Soak {
  readonly minutes: number;
  readonly rate: number;
  readonly replicas: number;
}

/** Reads the command line; null if it is invalid. */
function readArguments(): Soak | null {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '10' },
        rate: { type: 'string', default: '50' },
        replicas: { type: 'string', default: '2' },
      },
    });
    const soak = {
      minutes: Number(values.minutes),
      rate: Number(values.rate),
      replicas: Number(values.replicas),
    };
    return soak.minutes > 0 && soak.rate > 0 && soak.replicas >= 1 && soak.replicas <= 8 ? soak : null;
  } catch {
    return null;
  }
}

async function run({ minutes, rate, replicas: count }: Soak): Promise<boolean> {
  const upstream = await startFaultyUpstream();
  const redis = await startRestartingRedis();
  const replicas: Replica[] = [];
  const exits: (number | null)[] = [];
  try {
    for (let n = 0; n < count; n++) replicas.push(await startReplica(upstream.origin, redis?.url));
    const memory = replicas.map((): number[] => []);
    const sampleMs = Math.min(SAMPLE_MS, (minutes * 60_000) / 40);
    const sampling = setInterval(() => void sample(replicas, memory), sampleMs);
    const tally = await runLoad(
      replicas.map(({ url }) => url),
      rate,
      minutes * 60_000,
    );
    clearInterval(sampling);
    upstream.heal();
    const bill = await readBill(replicas, upstream);
    exits.push(...(await Promise.all(replicas.splice(0).map((replica) => replica.close()))));
    const { text, isGood } = toReport({
      tally,
      bill,
      memory,
      faults: upstream.faults,
      redisRestarts: redis?.restarts(),
      exits,
    });
    process.stdout.write(text);
    return isGood;
  } finally {
    await Promise.all(replicas.map((replica) => replica.close()));
    await redis?.close();
    await upstream.close();
  }
}

async function sample(replicas: readonly Replica[], memory: readonly number[][]): Promise<void> {
  for (const [index, replica] of replicas.entries()) {
    const metrics = await replica.readMetrics().catch(() => undefined);
    const bytes = metrics?.get('process_resident_memory_bytes');
    if (bytes !== undefined) memory[index]?.push(bytes);
  }
}

/** The cost, once both sides agree or after 20 seconds: metrics count a call only when it has ended. */
async function readBill(replicas: readonly Replica[], upstream: FaultyUpstream): Promise<Bill> {
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    await sleep(2000);
    const arrived = upstream.credits();
    const metrics = await Promise.all(replicas.map((replica) => replica.readMetrics()));
    const spent = (purpose: string): number =>
      metrics
        .flatMap((each) => [...each])
        .filter(([series]) => isSpending(series, purpose))
        .reduce((sum, [, credits]) => sum + credits, 0);
    const bill = { operations: spent('operation'), refreshes: spent('refresh'), upstream: arrived };
    const isSettled = bill.operations + bill.refreshes === arrived;
    if (isSettled || performance.now() > until) return bill;
  }
}

/** Whether a series counts the credits spent for this purpose, at any endpoint. */
function isSpending(series: string, purpose: string): boolean {
  return series.startsWith('trending_credits_spent_total{') && series.includes(`purpose="${purpose}"`);
}

// Exit handlers kill the child processes.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const soak = readArguments();
if (soak === null) {
  process.stderr.write(USAGE);
  process.exitCode = 1;
} else if (!(await run(soak))) {
  process.exitCode = 1;
}
