import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const count = availableParallelism();

/** The core of each process: the server has its own; load and upstream share the second if there is no third. */
export const CORES = { server: 0, load: Math.min(1, count - 1), upstream: Math.min(2, count - 1) } as const;

/** Whether processes can be bound to these cores on this machine. */
export const areCoresBound =
  count > 1 &&
  Object.values(CORES).every((core) => spawnSync('taskset', ['-c', String(core), 'true']).status === 0);

/** The command that runs `command` on one core; `command` itself if processes cannot be bound. */
export function onCore(core: number, command: readonly string[]): readonly string[] {
  return areCoresBound ? ['taskset', '-c', String(core), ...command] : command;
}

/** Moves this process, which measures, off the server's core. */
export function leaveServerCore(): void {
  if (areCoresBound) spawnSync('taskset', ['-pc', String(CORES.load), String(process.pid)]);
}
