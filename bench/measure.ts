import { type Load, runLoad } from './load.ts';
import type { Server } from './processes.ts';

/** How much is measured. */
export interface Effort {
  /** Rounds that the median is taken of. */
  readonly rounds: number;
  /** Length of one load, in seconds. */
  readonly seconds: number;
  /** Length of the load before it, which is thrown away. */
  readonly warmUpSeconds: number;
  /** Operations of the trace whose bill is compared. */
  readonly tracedOperations: number;
  /** Operations after which memory is looked at. */
  readonly memoryOperations: number;
}

/** The middle value; the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * Loads one server after the other, round after round, so that a slow minute of the machine is everyone's.
 * Gives each server's loads, by its name.
 */
export async function loadInTurns(
  servers: readonly Server[],
  bodiesFile: (server: Server) => string,
  { rounds, seconds, warmUpSeconds }: Effort,
): Promise<ReadonlyMap<string, readonly Load[]>> {
  const loads = new Map<string, Load[]>(servers.map(({ spec }) => [spec.name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const server of servers) {
      await runLoad(server.url, bodiesFile(server), warmUpSeconds);
      loads.get(server.spec.name)?.push(await runLoad(server.url, bodiesFile(server), seconds));
    }
  }
  return loads;
}
