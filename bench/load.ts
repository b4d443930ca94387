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
  /** Mean size of an answer with its head, in bytes. */
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

/** Connections that are kept busy at once. */
export const CONNECTIONS = 32;
/** Node accepts one connection in each turn of its loop, so the last ones of a slow server wait. */
const TIMEOUT = '10s';

/** What makes the load on this machine. */
export const LOAD_TOOL = spawnSync('wrk', ['-v']).error === undefined ? 'wrk' : 'autocannon';

const run = promisify(execFile);

/**
 * Sends the bodies in `bodiesFile`, one a line, over and over for `seconds`.
 *
 * @throws When any answer was no 2xx, or a connection failed: such figures say nothing.
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
