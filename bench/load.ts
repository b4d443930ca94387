import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { CORES, onCore } from './cores.ts';
import { BENCH, PROGRAMS } from './paths.ts';

/** The figures of one load. */
export interface Load {
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
 * Sends the bodies in `bodiesFile`, one per line, repeatedly for `seconds`.
 *
 * @throws When a response is not 2xx or a connection fails: such figures would be meaningless.
 */
export async function runLoad(url: string, bodiesFile: string, seconds: number): Promise<Load> {
  const [file = '', ...args] = onCore(CORES.load, loadCommand(url, bodiesFile, seconds));
  const { stdout } = await run(file, args);
  const figures = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as LoadFigures;
  if (figures.failures > 0 || figures.requests === 0) {
    throw new Error(`${url}: ${figures.failures} of ${figures.requests} requests failed under load`);
  }
  return {
    requestsPerSecond: figures.requests / figures.seconds,
    p50Ms: figures.p50Ms,
    p99Ms: figures.p99Ms,
    bytes: figures.bytes / figures.requests,
  };
}

function loadCommand(url: string, bodiesFile: string, seconds: number): readonly string[] {
  const connections = String(CONNECTIONS);
  if (LOAD_TOOL === 'autocannon') {
    const program = path.join(PROGRAMS, 'autocannon.js');
    return [process.execPath, program, url, bodiesFile, connections, String(seconds)];
  }
  const script = path.join(BENCH, 'wrk.lua');
  return [
    'wrk',
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    `--timeout=${TIMEOUT}`,
    `-s${script}`,
    url,
    '--',
    bodiesFile,
  ];
}
