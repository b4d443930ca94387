import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Block, findBlocks } from '../support/examples.ts';
import { findFreePort } from '../support/freePort.ts';
import { findProgram } from './support/describeWith.ts';
import { poll } from './support/poll.ts';
import { PATIENT } from './support/program.ts';

const PAGES = [
  'README.md',
  'docs/api.md',
  'docs/caching-and-cost.md',
  'docs/deployment.md',
  'docs/trusted-documents.md',
];

/** What the examples listen on; each page is executed with free ports instead. */
const PORTS = /\b(4000|4001|4002|4010|6380)\b/g;

/** Ends with a server in the foreground, which the blocks after it use. */
const SERVER = /(npm start|node dist\/main\.js)\n$/;
/** Starts programs in the background, and has to end them. */
const IS_COMPLETE = / & /;

/** Replaces `npm`: the programs are built already, and the packages installed. */
const NPM = `#!/bin/sh
case "$*" in
  ci | 'run build') ;;
  start) exec node dist/main.js ;;
  *) echo "expected another command than npm $*" >&2; exit 64 ;;
esac
`;

/** A block that cannot be executed here. */
function reasonNotToExecute({ text }: Block): string | undefined {
  if (text.includes('docker ')) return 'needs Docker';
  if (text.includes('npm test')) return 'would run all tests';
  return undefined;
}

/** A shell with everything that it has started: a process group. */
interface Shell {
  readonly child: ChildProcess;
  /** Resolves when the shell itself has ended. */
  readonly end: Promise<unknown>;
  /** Resolves with the exit code when its output is complete: nothing that it has started can write any more. */
  readonly exit: Promise<number | null>;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

let folder: string;
let ports: ReadonlyMap<string, number>;
let shells: Shell[] = [];
/** The server that the curl commands of a page are sent to. */
let server: Shell | undefined;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'documentation-'));
  await mkdir(path.join(folder, 'bin'));
  await writeFile(path.join(folder, 'bin/npm'), NPM);
  await chmod(path.join(folder, 'bin/npm'), 0o755);
  for (const name of ['dist', 'schema']) await symlink(path.resolve(name), path.join(folder, name));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function startShell(text: string): Shell {
  const child = spawn('sh', ['-c', text.replace(PORTS, (port) => String(ports.get(port)))], {
    cwd: folder,
    // A group of its own, so that it can be seen whether anything is left of it.
    detached: true,
    env: {
      PATH: `${path.join(folder, 'bin')}:${path.dirname(process.execPath)}:${process.env.PATH}`,
      PORT: String(ports.get('4000')),
      REDIS_TIMEOUT_MS: '1500',
      ...PATIENT,
    },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output.stderr += chunk;
  });
  const exit = once(child, 'close').then(([code]): number | null => code);
  const shell = {
    child,
    end: once(child, 'exit'),
    exit,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
  };
  shells.push(shell);
  return shell;
}

/** Whether the shell, or anything that it has started, still runs. */
function isRunning({ child }: Shell): boolean {
  return signal(child, 0);
}

/** Sends a signal to a group; false when nothing is left of it. */
function signal({ pid = 0 }: ChildProcess, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, name);
  } catch {
    return false;
  }
}

async function startServer(text: string): Promise<void> {
  await stopServer();
  // The server replaces the shell, so that it gets the signal, and its exit code counts.
  const started = startShell(text.replace(SERVER, 'exec $1'));
  server = started;
  await poll(() => {
    if (started.child.exitCode !== null) throw new Error(`the server ended:\n${started.stdout()}`);
    return /GraphQL at http:/.test(started.stdout());
  });
}

async function stopServer(): Promise<void> {
  if (!server) return;
  const { child, exit } = server;
  const stopped = server;
  server = undefined;
  signal(child, 'SIGTERM');
  expect(await exit).toBe(0);
  expect(isRunning(stopped)).toBe(false);
}

/** Without what is different in every run. The cursors of the demo data's charts contain videos that move. */
function masked(text: string): string {
  return text
    .replace(/"(fetchedAt|endCursor)":"[^"]*"/g, '"$1":"..."')
    .replace(/(max-age|stale-while-revalidate|stale-if-error)=\d+/g, '$1=...')
    .replace(
      /^(x-request-id|ratelimit-remaining|ratelimit-reset|etag|content-length|date): .*$/gim,
      '$1: ...',
    )
    .replace(/\r/g, '')
    .trim();
}

describe.each(PAGES)('%s', (page) => {
  const blocks = findBlocks(readFileSync(page, 'utf8'));
  const commands = blocks.filter(({ language }) => language === 'sh');

  beforeAll(async () => {
    const names = PORTS.source.match(/\d{4}/g) ?? [];
    ports = new Map(await Promise.all(names.map(async (name) => [name, await findFreePort()] as const)));
  });

  afterEach(() => {
    // Only after a failure is anything left, beside the page's server.
    for (const shell of shells) if (shell !== server) signal(shell.child, 'SIGKILL');
    shells = shells.filter((shell) => shell === server);
  });

  afterAll(stopServer);

  for (const [index, block] of commands.entries()) {
    if (reasonNotToExecute(block)) continue;
    const name = `${block.heading || 'the beginning'}, command ${index + 1}`;
    const needed = ['curl', 'redis-server'].filter((program) => block.text.includes(program));
    const isPossible = needed.every((program) => findProgram(program) !== undefined);
    (isPossible ? it : it.skip)(`shows what its commands print (${name})`, async () => {
      const { text } = block;
      if (SERVER.test(text)) return startServer(text);
      if (IS_COMPLETE.test(text)) await stopServer();
      else if (!server) await startServer('node dist/main.js\n');

      const shell = startShell(text);
      await shell.end;
      // What an example starts, it ends.
      expect(isRunning(shell)).toBe(false);
      expect([await shell.exit, shell.stderr()]).toEqual([0, '']);

      const next = blocks[blocks.indexOf(block) + 1];
      if (next?.language === 'json') expect(JSON.parse(shell.stdout())).toEqual(JSON.parse(next.text));
      else expect(masked(shell.stdout())).toBe(masked(next?.text ?? ''));
    });
  }
});

it('leaves out only what needs Docker, and the commands that would run all tests', () => {
  const commands = PAGES.flatMap((page) =>
    findBlocks(readFileSync(page, 'utf8'))
      .filter(({ language }) => language === 'sh')
      .map((block) => [page, reasonNotToExecute(block)] as const),
  );
  expect(commands.filter(([, reason]) => reason)).toEqual([
    ['README.md', 'would run all tests'],
    ['README.md', 'needs Docker'],
    ['docs/deployment.md', 'needs Docker'],
    ['docs/deployment.md', 'needs Docker'],
    ['docs/deployment.md', 'needs Docker'],
    ['docs/deployment.md', 'needs Docker'],
    ['docs/trusted-documents.md', 'needs Docker'],
  ]);
  expect(commands.filter(([, reason]) => !reason)).toHaveLength(10);
});
