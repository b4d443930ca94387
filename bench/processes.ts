import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CORES, onCore } from './cores.ts';
import { ROOT } from './paths.ts';

/** A server that can be started. */
export interface ServerSpec {
  readonly name: string;
  /** Its program, from the repository's folder. */
  readonly program: string;
  /** What it is told beside its port and where upstream is. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whether it answers windows of a connection, as this product does, or pages, as KeyAPI does. */
  readonly shape: 'connection' | 'pages';
}

/** A server that answers. */
export interface Server {
  readonly spec: ServerSpec;
  readonly url: string;
  readonly pid: number;
  /** From its spawn to its first answer, in milliseconds. */
  readonly startMs: number;
  close(): Promise<void>;
}

/** The stand-in for KeyAPI. */
export interface Upstream {
  readonly url: string;
  /** Requests it has answered so far, and what they cost. */
  stats(): Promise<{ readonly requests: number; readonly credits: number }>;
  close(): Promise<void>;
}

const START_DEADLINE_MS = 30_000;
/** How long to wait before a server that did not answer is asked again, in milliseconds: the precision of `startMs`. */
const ASK_AGAIN_MS = 2;

/** Starts the emulator in a process of its own; each of its answers takes `latencyMs`. */
export async function startUpstream(latencyMs = 0): Promise<Upstream> {
  const program = [
    process.execPath,
    'dist/bin/emulator.js',
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
    child.once('exit', () => reject(new Error('The emulator ended before it listened.')));
  });
  return {
    url,
    stats: async () => (await (await fetch(`${url}/stats`)).json()) as { requests: number; credits: number },
    close: () => end(child),
  };
}

/** Starts a server on its core and asks it `body` until it answers with 200. */
export async function startServer(spec: ServerSpec, upstream: Upstream, body: string): Promise<Server> {
  const port = await findPort();
  const variables = { ...spec.variables, PORT: String(port), KEYAPI_BASE_URL: upstream.url };
  const url = `http://127.0.0.1:${port}/graphql`;
  const startedAt = performance.now();
  const child = start(onCore(CORES.server, [process.execPath, spec.program]), variables);
  let complaints = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  while (!(await answers(url, body))) {
    if (child.exitCode !== null)
      throw new Error(`${spec.name} ended with ${child.exitCode} before it answered:\n${complaints}`);
    if (performance.now() - startedAt > START_DEADLINE_MS) {
      await end(child);
      throw new Error(`${spec.name} did not answer in ${START_DEADLINE_MS} ms:\n${complaints}`);
    }
    await sleep(ASK_AGAIN_MS);
  }
  const startMs = performance.now() - startedAt;
  return { spec, url, pid: child.pid ?? 0, startMs, close: () => end(child) };
}

/** Runs `use` with all of these servers, and ends them. */
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

/** Runs `use` with the emulator, and ends it. */
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
    cwd: ROOT,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // What nobody reads would fill its pipe and stop it.
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

/** Whether a server answers `body` with 200 and without errors, over a connection of its own. */
function answers(url: string, body: string): Promise<boolean> {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', accept: 'application/json' };
    const asking = request(url, { method: 'POST', agent: false, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(response.statusCode === 200 && !text.includes('"errors":')));
      response.once('error', () => resolve(false));
    });
    asking.once('error', () => resolve(false));
    asking.end(body);
  });
}
