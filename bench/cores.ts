import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const count = availableParallelism();

/** Who has which core: the server one to itself; load and upstream share the second where there is no third. */
export const CORES = { server: 0, load: Math.min(1, count - 1), upstream: Math.min(2, count - 1) } as const;

/** Whether processes can be bound to these cores here. */
export const areCoresBound =
  count > 1 &&
  Object.values(CORES).every((core) => spawnSync('taskset', ['-c', String(core), 'true']).status === 0);

/** The command that runs `command` on one core; the command itself where that cannot be done. */
export function onCore(core: number, command: readonly string[]): readonly string[] {
  return areCoresBound ? ['taskset', '-c', String(core), ...command] : command;
}

/** Keeps this process, which measures, away from the server's core. */
export function leaveServerCore(): void {
  if (areCoresBound) spawnSync('taskset', ['-pc', String(CORES.load), String(process.pid)]);
}
