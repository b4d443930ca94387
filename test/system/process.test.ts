import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

const COUNT = '{ trendingVideos { totalCount } }';

let programs: Program[] = [];
let emulator: TestEmulator | undefined;
let folder: string | undefined;

/** Runs a program of dist/ on a free port with only these variables, and no limit on the event loop's delay. */
function run(script: string, variables: Record<string, string> = {}, args: string[] = []): Program {
  const command = [process.execPath, path.resolve(script), ...args];
  const { MAX_EVENT_LOOP_DELAY_MS } = PATIENT;
  return endAfterTest(startProgram(command, { PORT: '0', MAX_EVENT_LOOP_DELAY_MS, ...variables }));
}

/** Ends the program after the test, if it still runs. */
function endAfterTest(program: Program): Program {
  programs.push(program);
  return program;
}

/** Starts the server with these variables; returns it and the URL of its endpoint. */
async function serve(variables: Record<string, string> = {}) {
  const program = run('dist/main.js', variables);
  const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
  return { program, url };
}

/** Starts an upstream; returns it and the variables of a server that uses it. */
async function startUpstream() {
  emulator = await startEmulator();
  return { emulator, variables: { ...PATIENT, ...emulator.variables } };
}

/** The path of a cache file in its own folder, which is removed after the test. */
async function makeCacheFile(): Promise<string> {
  folder = await mkdtemp(path.join(tmpdir(), 'process-'));
  return path.join(folder, 'pages.json');
}

afterEach(async () => {
  for (const { child } of programs) child.kill('SIGKILL');
  await Promise.all(programs.map(({ exit }) => exit));
  await emulator?.close();
  if (folder) await rm(folder, { recursive: true });
  programs = [];
  emulator = undefined;
  folder = undefined;
});

describe('dist/main.js', () => {
  it('serves demo data without any settings, logs that, and exits cleanly on Ctrl-C', async () => {
    const { program, url } = await serve();
    expect(program.output().match(/Demo data: the embedded emulator stands in for KeyAPI/g)).toHaveLength(1);
    expect(await postQuery(url, '{ trendingVideos(first: 1) { nodes { cover } } }')).toMatchObject({
      data: { trendingVideos: { nodes: [{ cover: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/) }] } },
      extensions: { upstream: { source: 'emulator', requests: 1, credits: 2 } },
    });
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
    expect(program.output()).not.toMatch(/"level":"(warn|error|fatal)"|Warning/);
  });

  it('fetches nothing after a restart with CACHE_FILE, and starts even when the file is damaged', async () => {
    const { emulator, variables } = await startUpstream();
    const file = await makeCacheFile();
    const query = '{ trendingVideos(first: 60) { nodes { itemId } fetchedAt } }';
    const queryOnce = async () => {
      const { program, url } = await serve({ ...variables, CACHE_FILE: file });
      const response = (await postQuery(url, query)) as { readonly data: unknown };
      program.child.kill('SIGTERM');
      expect(await program.exit).toBe(0);
      return { response, output: program.output() };
    };
    const before = await queryOnce();
    expect(emulator.counts).toEqual({ requests: 3, credits: 6 });
    const restarted = await queryOnce();
    expect(restarted.response).toMatchObject({
      data: before.response.data,
      extensions: { upstream: { requests: 0, pages: { cached: 3 } } },
    });
    expect(emulator.counts.requests).toBe(3);
    expect(restarted.output).toMatch(/"pages":3,"msg":"Cache file read"/);
    expect(await readFile(file, 'utf8')).not.toContain('sk-secret');

    await writeFile(file, 'nonsense');
    const damaged = await queryOnce();
    expect(damaged.response).toMatchObject({ extensions: { upstream: { requests: 3 } } });
    expect(damaged.output.match(/File ignored/g)).toHaveLength(1);
  });

  it('remembers the credits that it spent, even when it is killed', async () => {
    const { emulator, variables } = await startUpstream();
    const limited = { ...variables, CACHE_FILE: await makeCacheFile(), CREDIT_BUDGET_PER_DAY: '4' };
    const outcomes: unknown[] = [];
    for (const region of ['US', 'DE', 'FR']) {
      const { program, url } = await serve(limited);
      outcomes.push(await postQuery(url, `{ trendingVideos(region: "${region}") { totalCount } }`));
      program.child.kill('SIGKILL');
      await program.exit;
    }
    const spent = { extensions: { upstream: { requests: 1 } } };
    const refused = { errors: [{ extensions: { code: 'CREDIT_BUDGET_EXHAUSTED' } }] };
    expect(outcomes).toMatchObject([spent, spent, refused]);
    expect(emulator.counts.requests).toBe(2);
  });

  it('writes a page that is in flight on SIGTERM to the cache file', async () => {
    const { emulator, variables } = await startUpstream();
    const release = emulator.hold();
    const { program, url } = await serve({
      ...variables,
      CACHE_FILE: await makeCacheFile(),
      OPERATION_TIMEOUT_MS: '2000',
    });
    expect(await postQuery(url, COUNT)).toMatchObject({
      errors: [{ extensions: { code: 'UPSTREAM_TIMEOUT' } }],
    });
    program.child.kill('SIGTERM');
    await program.see(/"msg":"Closing"/);
    release();
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });

  it('does not wait for an upstream that hangs, and still writes the cached pages', async () => {
    const { emulator, variables } = await startUpstream();
    const { program, url } = await serve({
      ...variables,
      OPERATION_TIMEOUT_MS: '2000',
      CACHE_FILE: await makeCacheFile(),
    });
    await postQuery(url, COUNT);
    emulator.hold();
    await postQuery(url, '{ trendingVideos(region: "DE") { totalCount } }');
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(emulator.counts.requests).toBe(2);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });

  it('does not wait for connections without a complete request', async () => {
    // This server closes first and waits for its operation; the one under test must exit before that is aborted.
    const { emulator, variables } = await startUpstream();
    const release = emulator.hold();
    const waiting = await serve(variables);
    const response = postQuery(waiting.url, COUNT);
    await emulator.seeRequests(1);

    const { program, url } = await serve();
    const { port, origin } = new URL(url);
    for (const text of [
      '',
      'GET /graphql HTTP/1.1\r\n',
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{',
    ]) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(text);
    }
    // Accepted after them.
    await fetch(`${origin}/livez`);
    waiting.program.child.kill('SIGTERM');
    await waiting.program.see(/"msg":"Closing"/);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    release();
    expect(await response).toMatchObject({ data: { trendingVideos: { totalCount: 500 } } });
  });

  it('exits when `npm start` gets a SIGTERM', async () => {
    const program = endAfterTest(startProgram(['npm', 'start'], { PORT: '0' }, process.cwd()));
    const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('refuses to start in production without a token, in one clear sentence', async () => {
    const program = run('dist/main.js', { NODE_ENV: 'production' });
    expect(await program.exit).toBe(1);
    expect(program.output()).toBe(
      'The environment is not valid:\n' +
        '  - KEYAPI_TOKEN: expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)\n',
    );
  });

  it('reports the port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const program = run('dist/main.js', { PORT: port, LOG_LEVEL: 'silent' });
    expect(await program.exit).toBe(1);
    expect(program.output()).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
    other.close();
  });
});

describe('dist/bin/printSchema.js', () => {
  it('prints the same schema as the unbundled classes (schema/schema.graphql)', async () => {
    const program = run('dist/bin/printSchema.js');
    expect(await program.exit).toBe(0);
    expect(program.output()).toBe(await readFile('schema/schema.graphql', 'utf8'));
  });
});

describe('dist/bin/emulator.js', () => {
  it('runs on its own, with the given switches', async () => {
    const program = run('dist/bin/emulator.js', {}, ['--port', '0', '--token', 'secret', '--credits', '2']);
    const [, base = ''] = await program.see(/KEYAPI_BASE_URL=(http:\S+),/);
    const get = async () =>
      (await fetch(`${base}/v1/tiktok/trending/videos`, { headers: { authorization: 'Bearer secret' } }))
        .status;
    expect([await get(), await get()]).toEqual([200, 402]);
    expect((await fetch(`${base}/v1/tiktok/trending/videos`)).status).toBe(401);
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
  });

  it.each([
    [['--port', 'x'], '--port: expected a whole number of up to 6 digits, but got: x'],
    [['--nope'], "Unknown option '--nope'"],
  ])('prints an error and its usage when called with %j', async (args, message) => {
    const program = run('dist/bin/emulator.js', {}, args);
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain(message);
    expect(program.output()).toContain('Usage: npm run emulator');
  });
});
