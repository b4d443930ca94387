import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CORES, onCore } from './cores.ts';
import { BENCH, ROOT } from './paths.ts';

/** A server that can be started. */
export interface ServerSpec {
  readonly name: string;
  /** The path of its program in the repository. */
  readonly program: string;
  /** Its environment variables, besides its port and the upstream URL. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether its schema has windows of a connection, like this product, or pages, like KeyAPI. */
  readonly shape: 'connection' | 'pages';
}

/** A running server. */
export interface Server {
  readonly spec: ServerSpec;
  readonly url: string;
  readonly pid: number;
  /** From its spawn to its first response, in milliseconds. */
  readonly startMs: number;
  close(): Promise<void>;
}

/** The emulator, in place of KeyAPI. */
export interface Upstream {
  readonly url: string;
  /** Its requests so far, and their cost. */
  stats(): Promise<{ readonly requests: number; readonly credits: number }>;
  close(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
/** Interval of the requests to a starting server, in milliseconds: the precision of `startMs`. */
const POLL_MS = 2;

/** Starts the emulator in its own process; each of its responses takes `latencyMs`. */
export async function startUpstream(latencyMs = 0): Promise<Upstream> {
  const program = [
    process.execPath,
    path.join(ROOT, 'dist/bin/emulator.js'),
    '--port',
    '0',
    '--latency-ms',
    String(latencyMs),
  ];
  const child = start(onCore(CORES.upstream, program), {});
  const url = await new Promise<string>((resolve, reject) => {
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      const match = /KEYAPI_BASE_URL=(http:[^,\s]+)/.exec(output);
      if (match?.[1]) resolve(match[1]);
    });
    child.once('exit', () => reject(new Error('The emulator exited before it was ready.')));
  });
  return {
    url,
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as { requests: number; credits: number },
    close: () => end(child),
  };
}

/** Starts a server on its core, and sends it `body` until it responds with 200. */
export async function startServer(spec: ServerSpec, upstream: Upstream, body: string): Promise<Server> {
  const port = await findPort();
  const variables = { ...spec.variables, PORT: String(port), KEYAPI_BASE_URL: upstream.url };
  const url = `http://127.0.0.1:${port}/graphql`;
  const startedAt = performance.now();
  const child = start(onCore(CORES.server, [process.execPath, path.join(ROOT, spec.program)]), variables);
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  while (!(await isReady(url, body))) {
    if (child.exitCode !== null)
      throw new Error(`${spec.name} exited with ${child.exitCode} before it was ready:\n${complaints}`);
    if (performance.now() - startedAt > START_DEADLINE_MS) {
      await end(child);
      throw new Error(`${spec.name} was not ready after ${START_DEADLINE_MS} ms:\n${complaints}`);
    }
    await sleep(POLL_MS);
  }
  const startMs = performance.now() - startedAt;
  return { spec, url, pid: child.pid ?? 0, startMs, close: () => end(child) };
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

/** Runs `use` with the emulator, and stops it. */
export async function withUpstream<T>(
  latencyMs: number,
  use: (upstream: Upstream) => Promise<T>,
): Promise<T> {
  const upstream = await startUpstream(latencyMs);
  try {
    return await use(upstream);
  } finally {
    await upstream.close();
  }
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function start(command: readonly string[], variables: Readonly<Record<string, string>>): ChildProcess {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    // Not the repository's folder, in which they would read a developer's .env.
    cwd: BENCH,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // Unread output would fill the pipe and block the process.
  child.stdout.resume();
  child.stderr.resume();
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** A port that was free a moment ago. */
async function findPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
