import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator, type EmulatorSwitches } from '../../src/keyapi/emulator/emulator.ts';
import { type Program, postQuery, startProgram } from './support/program.ts';

let program: Program;
let emulator: Emulator | undefined;
let folder: string | undefined;

/** Runs a program of dist/ with these variables alone, on a free port. */
function run(script: string, variables: Record<string, string> = {}, args: string[] = []): Program {
  program = startProgram([process.execPath, script, ...args], { PORT: '0', ...variables });
  return program;
}

/** Starts the server with these variables; gives the address of its endpoint. */
async function serve(variables: Record<string, string> = {}): Promise<string> {
  run('dist/main.js', variables);
  const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
  return url;
}

/** Starts an upstream; gives it, and the variables that name it. */
async function startEmulator(switches: Partial<EmulatorSwitches> = {}) {
  const started = createEmulator(switches);
  emulator = started;
  const base = await started.listen();
  return { emulator: started, variables: { KEYAPI_BASE_URL: base.origin, KEYAPI_TOKEN: 'sk-secret' } };
}

/** A cache file in a folder of its own, which goes with the test. */
async function makeCacheFile(): Promise<string> {
  folder = await mkdtemp(path.join(tmpdir(), 'process-'));
  return path.join(folder, 'pages.json');
}

afterEach(async () => {
  program.child.kill('SIGKILL');
  await program.exit;
  await emulator?.close();
  if (folder) await rm(folder, { recursive: true });
  emulator = undefined;
  folder = undefined;
});

describe('dist/main.js', () => {
  it('serves demo data when it is given nothing, says so, and ends cleanly on Ctrl-C', async () => {
    const url = await serve();
    expect(program.output().match(/Demo data: the embedded emulator stands in for KeyAPI/g)).toHaveLength(1);
    expect(await postQuery(url, '{ trendingVideos(first: 1) { nodes { cover } } }')).toMatchObject({
      data: { trendingVideos: { nodes: [{ cover: expect.stringMatching(/^http:\/\/127\.0\.0\.1:/) }] } },
      extensions: { upstream: { source: 'emulator', requests: 1, credits: 2 } },
    });
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
    expect(program.output()).not.toMatch(/"level":"(warn|error|fatal)"|Warning/);
  });

  it('costs nothing after a restart with CACHE_FILE, which no damage to the file can stop', async () => {
    const { emulator, variables } = await startEmulator();
    const file = await makeCacheFile();
    const query = '{ trendingVideos(first: 60) { nodes { itemId } fetchedAt } }';
    const answerOnce = async (): Promise<unknown> => {
      const url = await serve({ ...variables, CACHE_FILE: file });
      const answer = await postQuery(url, query);
      program.child.kill('SIGTERM');
      expect(await program.exit).toBe(0);
      return answer;
    };
    const before = (await answerOnce()) as { data: unknown };
    expect(emulator.counts).toEqual({ requests: 3, credits: 6 });
    expect(await answerOnce()).toMatchObject({
      data: before.data,
      extensions: { upstream: { requests: 0, pages: { cached: 3 } } },
    });
    expect(emulator.counts.requests).toBe(3);
    expect(program.output()).toMatch(/"pages":3,"msg":"Cache file read"/);
    expect(await readFile(file, 'utf8')).not.toContain('sk-secret');

    await writeFile(file, 'nonsense');
    expect(await answerOnce()).toMatchObject({ extensions: { upstream: { requests: 3 } } });
    expect(program.output().match(/File ignored/g)).toHaveLength(1);
  });

  it('remembers what it spent of the budget though it is killed', async () => {
    const { emulator, variables } = await startEmulator();
    const limited = { ...variables, CACHE_FILE: await makeCacheFile(), CREDIT_BUDGET_PER_DAY: '4' };
    const outcomes: unknown[] = [];
    for (const region of ['US', 'DE', 'FR']) {
      const url = await serve(limited);
      outcomes.push(await postQuery(url, `{ trendingVideos(region: "${region}") { totalCount } }`));
      program.child.kill('SIGKILL');
      await program.exit;
    }
    const spent = { extensions: { upstream: { requests: 1 } } };
    const refused = { errors: [{ extensions: { code: 'CREDIT_BUDGET_EXHAUSTED' } }] };
    expect(outcomes).toMatchObject([spent, spent, refused]);
    expect(emulator.counts.requests).toBe(2);
  });

  it('keeps a page that is on its way when it is told to end', async () => {
    const { variables } = await startEmulator({ latencyMs: 2500 });
    const url = await serve({
      ...variables,
      CACHE_FILE: await makeCacheFile(),
      OPERATION_TIMEOUT_MS: '1500',
    });
    expect(await postQuery(url, '{ trendingVideos { totalCount } }')).toMatchObject({
      errors: [{ extensions: { code: 'UPSTREAM_TIMEOUT' } }],
    });
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });

  it('does not wait for an upstream that hangs: what it holds is written all the same', async () => {
    const { emulator, variables } = await startEmulator();
    const url = await serve({
      ...variables,
      KEYAPI_TIMEOUT_MS: '60000',
      OPERATION_TIMEOUT_MS: '1500',
      CACHE_FILE: await makeCacheFile(),
    });
    await postQuery(url, '{ trendingVideos { totalCount } }');
    emulator.switches.latencyMs = 60_000;
    await postQuery(url, '{ trendingVideos(region: "DE") { totalCount } }');
    const startedAt = performance.now();
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(program.output()).toMatch(/"pages":1,"msg":"Cache file written"/);
  });

  it('does not wait for connections on which no whole request has come', async () => {
    run('dist/main.js');
    const [, port = ''] = await program.see(/GraphQL at http:\S+:(\d+)\/graphql/);
    for (const text of [
      '',
      'GET /graphql HTTP/1.1\r\n',
      'POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{',
    ]) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      socket.write(text);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    const startedAt = performance.now();
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('ends with npm start when that is told to', async () => {
    program = startProgram(['npm', 'start'], { PORT: '0' });
    const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('refuses to start in production without a token, in one clear sentence', async () => {
    run('dist/main.js', { NODE_ENV: 'production' });
    expect(await program.exit).toBe(1);
    expect(program.output()).toBe(
      'The environment is not valid:\n' +
        '  - KEYAPI_TOKEN: expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)\n',
    );
  });

  it('says which port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    run('dist/main.js', { PORT: port, LOG_LEVEL: 'silent' });
    expect(await program.exit).toBe(1);
    expect(program.output()).toBe(`listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`);
    other.close();
  });
});

describe('dist/bin/printSchema.js', () => {
  it('prints the schema that the classes have outside a bundle', async () => {
    run('dist/bin/printSchema.js');
    expect(await program.exit).toBe(0);
    expect(program.output()).toBe(await readFile('schema/schema.graphql', 'utf8'));
  });
});

describe('dist/bin/emulator.js', () => {
  it('stands alone, with its switches', async () => {
    run('dist/bin/emulator.js', {}, ['--port', '0', '--token', 'secret', '--credits', '2']);
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
  ])('explains itself when it is called with %j', async (args, message) => {
    run('dist/bin/emulator.js', {}, args);
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain(message);
    expect(program.output()).toContain('Usage: npm run emulator');
  });
});
