import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { BENCH } from './paths.ts';

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a program with these environment variables. Its output goes to `logFile`, if there is one, or else into pipes. */
export async function startProcess(
  [file = '', ...args]: readonly string[],
  variables: Readonly<Record<string, string>>,
  logFile?: string,
): Promise<ChildProcess> {
  if (logFile === undefined) return spawnIn(file, args, variables, ['ignore', 'pipe', 'pipe']);
  const log = await open(logFile, 'a');
  try {
    return spawnIn(file, args, variables, ['ignore', log.fd, 'pipe']);
  } finally {
    await log.close();
  }
}

function spawnIn(
  file: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  stdio: StdioOptions,
): ChildProcess {
  const child = spawn(file, args, {
    // Not the repository's folder, in which they would read a developer's .env.
    cwd: BENCH,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', ...variables },
    stdio,
  });
  // Unread output would fill the pipe and block the process.
  child.stdout?.resume();
  child.stderr?.resume();
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Kills a process, and waits until it has ended. */
export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
