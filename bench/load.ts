import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { CORES, onCore } from './cores.ts';
import { BENCH, PROGRAMS } from './paths.ts';

/** What a load sends. */
export interface LoadSpec {
  readonly url: string;
  /** A file with a body per line. */
  readonly bodiesFile: string;
  /** Sent besides those of a POST of JSON. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether responses other than 2xx count too. */
  readonly acceptsErrors?: boolean;
}

/** The figures of one load. */
export interface Load {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Mean size of a response with its headers, in bytes. */
  readonly bytes: number;
}

interface LoadFigures {
  readonly requests: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly failures: number;
  readonly errorStatuses: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Concurrent connections. */
export const CONNECTIONS = 32;
/** Node accepts one connection per turn of its event loop, so the last connections to a slow server wait. */
const TIMEOUT = '10s';

/** The load tool on this machine. */
export const LOAD_TOOL = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'autocannon';

const run = promisify(execFile);

/**
 * Sends the bodies repeatedly for `seconds`, beginning with that of index `from`.
 *
 * @throws When a connection fails, or a response is not 2xx unless such are accepted: the figures would be meaningless.
 */
export async function runLoad(spec: LoadSpec, from: number, seconds: number): Promise<Load> {
  const [file = '', ...args] = onCore(CORES.load, loadCommand(spec, from, seconds));
  const { stdout } = await run(file, args);
  const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadFigures;
  const failures = figures.failures + (spec.acceptsErrors ? 0 : figures.errorStatuses);
  if (failures > 0 || figures.requests === 0) {
    throw new Error(`${spec.url}: ${failures} of ${figures.requests} requests failed under load`);
  }
  return {
    requests: figures.requests,
    requestsPerSecond: figures.requests / figures.seconds,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    bytes: figures.bytes / figures.requests,
  };
}

function loadCommand(
  { url, bodiesFile, headers = {} }: LoadSpec,
  from: number,
  seconds: number,
): readonly string[] {
  const connections = String(CONNECTIONS);
  const bodies = [bodiesFile, String(from)];
  if (LOAD_TOOL === 'autocannon') {
    const program = path.join(PROGRAMS, 'autocannon.js');
    return [process.execPath, program, url, ...bodies, connections, String(seconds), JSON.stringify(headers)];
  }
  const script = path.join(BENCH, 'wrk.lua');
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, `--timeout=${TIMEOUT}`, `-s${script}`];
  const additional = Object.entries(headers).map(([name, value]) => `-H${name}: ${value}`);
  return ['wrk', ...options, ...additional, url, '--', ...bodies];
}
