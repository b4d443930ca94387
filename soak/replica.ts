import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, startProgram } from '../test/system/support/program.ts';
import { findFreePort } from './redis.ts';

/** A process of the built program. */
export interface Replica {
  readonly url: string;
  /** Its metrics: `name{labels}` is one series, `name` the sum over all labels. */
  readMetrics(): Promise<ReadonlyMap<string, number>>;
  /** Stops it with SIGTERM; returns its exit code. */
  close(): Promise<number | null>;
}

/** Starts the server with a time to live so short that refreshes, stale responses and errors happen all the time. */
export async function startReplica(upstream: string, redisUrl: string | undefined): Promise<Replica> {
  const port = await findFreePort();
  const metricsPort = await findFreePort();
  const program = startProgram([process.execPath, MAIN], {
    NODE_ENV: 'production',
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    LOG_LEVEL: 'warn',
    KEYAPI_TOKEN: 'soak',
    KEYAPI_BASE_URL: upstream,
    KEYAPI_QPS: '1000',
    KEYAPI_TIMEOUT_MS: '1500',
    CACHE_TTL_SECONDS: '5',
    STATS_TTL_SECONDS: '5',
    CACHE_STALE_SECONDS: '10',
    CACHE_MAX_MB: '16',
    RATE_LIMIT_PER_MINUTE: '0',
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
  });
  process.once('exit', () => program.child.kill('SIGKILL'));
  const url = `http://127.0.0.1:${port}`;
  while (!(await isLive(url))) {
    if (program.child.exitCode !== null) throw new Error(`A server exited at start:\n${program.output()}`);
    await sleep(50);
  }
  return {
    url: `${url}/graphql`,
    readMetrics: async () => {
      const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
      return readMetrics(await response.text());
    },
    close: () => {
      program.child.kill('SIGTERM');
      return program.exit;
    },
  };
}

async function isLive(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/livez`)).ok;
  } catch {
    return false;
  }
}

function readMetrics(text: string): Map<string, number> {
  const metrics = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name, labels, value] = /^([a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) continue;
    metrics.set(name, (metrics.get(name) ?? 0) + Number(value));
    if (labels !== undefined) metrics.set(name + labels, Number(value));
  }
  return metrics;
}
