import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { createEmulator } from '../../src/keyapi/emulator/emulator.ts';
import { findBlocks } from '../support/examples.ts';
import { findFreePort } from '../support/freePort.ts';
import { describeUnless, findProgram } from './support/describeWith.ts';
import { startEmulator, type TestEmulator } from './support/emulator.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './support/program.ts';

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

/** Runs a program of dist/ in this folder, with only these variables. */
function runIn(cwd: string, script: string, variables: Record<string, string> = {}): Program {
  return endAfterTest(startProgram([process.execPath, path.resolve(script)], variables, cwd));
}

/** The lines of its log. */
function linesOf({ output }: Program): unknown[] {
  return output()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** A line that says why the server does not start: without a stack. */
function fatal(setting: string, msg: string): object {
  return { level: 'fatal', time: expect.any(String), setting, msg };
}

/** What the README shows that `npm start` prints. */
async function readStart(): Promise<string> {
  const blocks = findBlocks(await readFile('README.md', 'utf8'));
  return blocks.find(({ text }) => text.includes('GraphQL at'))?.text ?? '';
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

/** A folder that is removed after the test. */
async function makeFolder(): Promise<string> {
  // As the program sees it: macOS links its temporary folder.
  folder = await realpath(await mkdtemp(path.join(tmpdir(), 'process-')));
  return folder;
}

/** The path of a cache file in its own folder. */
async function makeCacheFile(): Promise<string> {
  return path.join(await makeFolder(), 'pages.json');
}

/** A working folder with this file `.env`. */
async function writeEnvFile(text: string): Promise<string> {
  const cwd = await makeFolder();
  await writeFile(path.join(cwd, '.env'), text);
  return cwd;
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

  const SCRIPT = process.platform === 'linux' ? findProgram('script') : undefined;
  describeUnless(SCRIPT ? undefined : 'it needs script of util-linux', 'in a terminal', () => {
    // A server whose terminal is killed still has to close. It holds a copy of the terminal's stderr (3), so `exit` waits for it too.
    const inTerminal = (variables: Record<string, string>): Program => {
      const command = `exec script -qec 'exec ${process.execPath} ${MAIN}' /dev/null 3>&2`;
      return endAfterTest(startProgram(['sh', '-c', command], { PORT: '0', NO_COLOR: '1', ...variables }));
    };

    it('logs lines of text', async () => {
      const { see, output } = inTerminal({});
      await see(/a file \.env, and restart\r?\n/);
      const lines = output()
        .replace(/\[\d\d:\d\d:\d\d\]/g, '[09:26:53]')
        .replace(/:\d+\//g, ':4000/');
      expect(lines.replaceAll('\r', '')).toBe(await readStart());

      const wrong = inTerminal({ PORT: 'x' });
      expect(await wrong.exit).toBe(1);
      expect(wrong.output()).toMatch(/^\[[\d:]{8}\] FATAL: PORT: expected a whole number .*"x"\r\n$/);
    });

    it('logs no secrets', async () => {
      const key = 'board-0123456789';
      const { see, output } = inTerminal({ API_KEYS: key });
      const [, url = ''] = await see(/GraphQL at (http:\S+)/);
      await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': key },
        body: JSON.stringify({
          query: `query ${key.replaceAll('-', '_')} { __typename }`,
          operationName: key,
        }),
      });
      await see(/Operation/);
      expect(output()).not.toContain(key);
    });

    it('writes the cache file when its window is closed', async () => {
      const { variables } = await startUpstream();
      const file = await makeCacheFile();
      const { see, child, exit } = inTerminal({ ...variables, CACHE_FILE: file });
      const [, url = ''] = await see(/GraphQL at (http:\S+)/);
      await postQuery(url, COUNT);
      child.kill('SIGKILL');
      await exit;
      expect(existsSync(file)).toBe(true);
    });
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
    expect(emulator.counts).toMatchObject({ requests: 3, credits: 6 });
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
    // Not in the repository's folder, in which it would read a developer's .env.
    const copy = await makeFolder();
    for (const name of ['package.json', 'tsconfig.json', 'build.js', 'schema', 'src']) {
      await cp(name, path.join(copy, name), { recursive: true });
    }
    await symlink(path.resolve('node_modules'), path.join(copy, 'node_modules'));
    const program = endAfterTest(startProgram(['npm', 'start'], { PORT: '0' }, copy));
    const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  it('reads .env in its working folder, and logs the names of the settings in it', async () => {
    const upstream = await startUpstream();
    const { KEYAPI_TOKEN = '', KEYAPI_BASE_URL = '' } = upstream.emulator.variables;
    const cwd = await writeEnvFile(
      `\uFEFFPORT=0\nKEYAPI_TOKEN="${KEYAPI_TOKEN}"\nKEYAPI_BASE_URL=${KEYAPI_BASE_URL}\nSANDBOX=false\n`,
    );
    const program = runIn(cwd, 'dist/main.js', { ...PATIENT, SANDBOX: '' });
    const [, url = ''] = await program.see(/GraphQL at (http:\S+\/graphql)/);
    expect(await postQuery(url, COUNT)).toMatchObject({ extensions: { upstream: { source: 'keyapi' } } });
    expect(linesOf(program)[0]).toMatchObject({
      level: 'info',
      file: path.join(cwd, '.env'),
      used: ['PORT', 'KEYAPI_TOKEN', 'KEYAPI_BASE_URL'],
      hidden: ['SANDBOX'],
      msg: 'Settings file read',
    });
    program.child.kill('SIGTERM');
    expect(await program.exit).toBe(0);
    expect(program.output()).not.toMatch(/sk-secret|Warning/);
  });

  it('takes a variable of the environment instead of that in .env, even an empty one', async () => {
    const cwd = await writeEnvFile('PORT=x\nKEYAPI_BASE_URL=http://127.0.0.1:9\nNODE_ENV=production\n');
    const program = runIn(cwd, 'dist/main.js', { PORT: '0', KEYAPI_BASE_URL: '', NODE_ENV: '' });
    await program.see(/Demo data/);
    await program.see(/GraphQL at http/);
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    [
      'a token is missing in production',
      { NODE_ENV: 'production' },
      {
        KEYAPI_TOKEN:
          'expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)',
      },
    ],
    [
      'settings are wrong, the level of the log too',
      { NODE_ENV: 'prod', LOG_LEVEL: 'loud', KEYAPI_TOKN: 'sk-secret' },
      {
        NODE_ENV: 'expected one of production, development, test, but got: "prod"',
        LOG_LEVEL: 'expected one of fatal, error, warn, info, debug, trace, silent, but got: "loud"',
        KEYAPI_TOKEN:
          'expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)',
        KEYAPI_TOKN: 'expected a setting: did you mean KEYAPI_TOKEN?',
      },
    ],
    [
      'the manifest cannot be read',
      { PERSISTED_DOCUMENTS: 'none.json', LOG_LEVEL: 'silent' },
      {
        PERSISTED_DOCUMENTS:
          "expected a manifest of trusted documents: ENOENT: no such file or directory, open 'none.json'",
      },
    ],
    [
      'the host is no address of this machine',
      { HOST: '192.0.2.1', LOG_LEVEL: 'silent' },
      { HOST: 'expected an address of this machine, but got: "192.0.2.1"' },
    ],
  ])('logs a line for each reason not to start, and exits with 1, when %s', async (_, variables, reasons) => {
    const program = run('dist/main.js', variables);
    expect(await program.exit).toBe(1);
    expect(linesOf(program)).toEqual(
      Object.entries(reasons).map(([setting, text]) => fatal(setting, `${setting}: ${text}`)),
    );
  });

  it('logs the problems of .env and of the environment together', async () => {
    const cwd = await makeFolder();
    await mkdir(path.join(cwd, '.env'));
    const program = runIn(cwd, 'dist/main.js', { PORT: 'x', NODE_ENV: 'production' });
    expect(await program.exit).toBe(1);
    expect(linesOf(program)).toEqual([
      fatal('.env', '.env: expected a regular file of up to 1 MB, but got a folder'),
      fatal('PORT', 'PORT: expected a whole number from 0 to 65535, but got: "x"'),
    ]);
  });

  it.each(['PORT', 'METRICS_PORT'])('says that %s is in use', async (setting) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const program = run('dist/main.js', { [setting]: String(port), LOG_LEVEL: 'silent' });
    expect(await program.exit).toBe(1);
    const message = `${setting}: 127.0.0.1:${port} is in use: stop the program that listens there, or set ${setting} to another port`;
    expect(linesOf(program)).toEqual([fatal(setting, message)]);
    other.close();
  });
});

describe('dist/bin/healthcheck.js', () => {
  it('finds the port of the server in .env', async () => {
    const port = await findFreePort();
    const cwd = await writeEnvFile(`PORT=${port}\n`);
    const server = runIn(cwd, 'dist/main.js');
    await server.see(/GraphQL at http/);
    expect(await runIn(cwd, 'dist/bin/healthcheck.js').exit).toBe(0);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(await runIn(cwd, 'dist/bin/healthcheck.js').exit).toBe(1);
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
    const args = ['--port', '0', '--token', 'secret', '--credits', '3', '--analytics-status', '403'];
    const program = run('dist/bin/emulator.js', {}, args);
    const [, base = ''] = await program.see(/KEYAPI_BASE_URL=(http:\S+),/);
    const get = async (path = 'trending/videos') =>
      (await fetch(`${base}/v1/tiktok/${path}`, { headers: { authorization: 'Bearer secret' } })).status;
    const numbers = 'video/detail/analytics?video_ids=1';
    expect([await get(), await get(numbers), await get()]).toEqual([200, 403, 402]);
    expect((await fetch(`${base}/v1/tiktok/trending/videos`)).status).toBe(401);
    program.child.kill('SIGINT');
    expect(await program.exit).toBe(0);
  });

  it('serves the charts of the day that it is given', async () => {
    const program = run('dist/bin/emulator.js', {}, ['--port', '0', '--date', '2026-02-28']);
    const [, base = ''] = await program.see(/KEYAPI_BASE_URL=(http:\S+),/);
    const response = await fetch(`${base}/v1/tiktok/trending/videos?page=13`);
    const { data } = (await response.json()) as { data: { videos: { item_id: string }[] } };
    const day = Date.UTC(2026, 1, 28) / 86_400_000;
    const ids = createEmulator().itemIdsOn({ region: 'US', period: 7, orderBy: 'VIEWS' }, day);
    expect(data.videos.map(({ item_id }) => item_id)).toEqual(ids.slice(240, 260));
  });

  it('listens where KEYAPI_BASE_URL expects it, also in .env, so that server and emulator share the file', async () => {
    const port = await findFreePort();
    const cwd = await writeEnvFile(`KEYAPI_BASE_URL=http://127.0.0.1:${port}\nKEYAPI_TOKEN=any\nPORT=0\n`);
    const program = runIn(cwd, 'dist/bin/emulator.js');
    await program.see(new RegExp(`KEYAPI_BASE_URL=http://127\\.0\\.0\\.1:${port},`));
    const server = runIn(cwd, 'dist/main.js', PATIENT);
    const [, url = ''] = await server.see(/GraphQL at (http:\S+\/graphql)/);
    expect(await postQuery(url, COUNT)).toMatchObject({ data: { trendingVideos: { totalCount: 500 } } });
    const second = runIn(cwd, 'dist/bin/emulator.js');
    expect(await second.exit).toBe(1);
    expect(second.output()).toContain(`--port: 127.0.0.1:${port} is in use`);
  });

  it('listens where KEYAPI_BASE_URL expects it on localhost', async () => {
    const port = await findFreePort();
    const program = run('dist/bin/emulator.js', { KEYAPI_BASE_URL: `http://localhost:${port}` });
    await program.see(new RegExp(`KEYAPI_BASE_URL=http://127\\.0\\.0\\.1:${port},`));
  });

  it('does not listen when .env cannot be read', async () => {
    const program = runIn(await writeEnvFile('KEYAPI_BASE_URL'), 'dist/bin/emulator.js');
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain('.env: expected lines such as NAME=value');
  });

  it.each([
    'https://api.keyapi.ai',
    'http://10.0.0.1:9',
    'http://127.0.0.2:9',
    'http://[::1]:9',
    'https://127.0.0.1:9',
    'http://127.0.0.1',
    'x',
  ])('does not listen on the port of %s, which is not its own address', async (KEYAPI_BASE_URL) => {
    const program = run('dist/bin/emulator.js', { KEYAPI_BASE_URL });
    // Whether or not another program listens there.
    await program.see(/127\.0\.0\.1:4010/);
  });

  it.each([
    [['--port', 'x'], '--port: expected a whole number of up to 6 digits, but got: x'],
    [['--analytics-status', '200'], '--analytics-status: expected an error from 400 to 599, but got: 200'],
    [['--date', '2026-02-30'], '--date: expected a date as YYYY-MM-DD, but got: 2026-02-30'],
    [['--nope'], "Unknown option '--nope'"],
  ])('prints an error and its usage when called with %j', async (args, message) => {
    const program = run('dist/bin/emulator.js', {}, args);
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain(message);
    expect(program.output()).toContain('Usage: npm run emulator');
  });
});
