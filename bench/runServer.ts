import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CORES, onCore } from './cores.ts';
import { ROOT } from './paths.ts';
import { endProcess, startProcess } from './processes.ts';
import type { Upstream } from './upstream.ts';

/** A server that can be started. */
export interface ServerSpec {
  readonly name: string;
  /** The path of its program in the repository. */
  readonly program: string;
  /** Its environment variables, besides its ports and the upstream URL. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether its schema has windows of a connection, like this product, or pages, like KeyAPI. */
  readonly shape: 'connection' | 'pages';
  /** The file for its log; absent for a server without one. */
  readonly logFile?: string;
}

/** A running server. */
export interface Server {
  readonly spec: ServerSpec;
  readonly url: string;
  /** Where this product serves its metrics; peers have none. */
  readonly metricsUrl: string;
  readonly pid: number;
  /** From its spawn to its first response, in milliseconds. */
  readonly startMs: number;
  close(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
/** Interval of the requests to a starting server, in milliseconds: the precision of `startMs`. */
const POLL_MS = 2;

/** Starts a server on its core, and sends it `body` until it responds with 200. */
export async function startServer(spec: ServerSpec, upstream: Upstream, body: string): Promise<Server> {
  const [port, metricsPort] = await findPorts();
  const variables = {
    ...spec.variables,
    PORT: String(port),
    METRICS_PORT: String(metricsPort),
    KEYAPI_BASE_URL: upstream.url,
  };
  const url = `http://127.0.0.1:${port}/graphql`;
  const command = onCore(CORES.server, [process.execPath, path.join(ROOT, spec.program)]);
  const startedAt = performance.now();
  const child = await startProcess(command, variables, spec.logFile);
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  while (!(await isReady(url, body))) {
    if (child.exitCode !== null)
      throw new Error(`${spec.name} exited with ${child.exitCode} before it was ready:\n${complaints}`);
    if (performance.now() - startedAt > START_DEADLINE_MS) {
      await endProcess(child);
      throw new Error(`${spec.name} was not ready after ${START_DEADLINE_MS} ms:\n${complaints}`);
    }
    await sleep(POLL_MS);
  }
  return {
    spec,
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}/metrics`,
    pid: child.pid ?? 0,
    startMs: performance.now() - startedAt,
    close: () => endProcess(child),
  };
}

/** Runs `use` with all of these servers, and stops them. */
export async function withServers<T>(
  specs: readonly ServerSpec[],
  upstream: Upstream,
  bodyFor: (spec: ServerSpec) => string,
  use: (servers: readonly Server[]) => Promise<T>,
): Promise<T> {
  const servers: Server[] = [];
  try {
    for (const spec of specs) servers.push(await startServer(spec, upstream, bodyFor(spec)));
    return await use(servers);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Two ports that were free a moment ago. */
async function findPorts(): Promise<[number, number]> {
  // Both are open at the same time: otherwise they could be the same.
  const servers = [createServer(), createServer()] as const;
  await Promise.all(servers.map((server) => once(server.listen(0, '127.0.0.1'), 'listening')));
  const [first, second] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return [first as number, second as number];
}

/** Whether a server responds to `body` with 200 and without errors, over a new connection. */
function isReady(url: string, body: string): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const sending = request(url, { method: 'POST', agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(response.statusCode === 200 && !text.includes('"errors":')));
      response.once('error', () => resolve(false));
    });
    sending.once('error', () => resolve(false));
    sending.end(body);
  });
}
