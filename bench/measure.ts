import { type Load, runLoad } from './load.ts';
import type { Server } from './processes.ts';

/** How much is measured. */
export interface Effort {
  /** Number of rounds; the figures are medians over them. */
  readonly rounds: number;
  /** Length of one load, in seconds. */
  readonly seconds: number;
  /** Length of the warm-up load before it, which is not measured. */
  readonly warmUpSeconds: number;
  /** Operations of the trace whose cost is compared. */
  readonly tracedOperations: number;
  /** Operations after which memory is measured. */
  readonly memoryOperations: number;
}

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/**
 * Loads one server after the other, round after round, so that a slow phase of the machine affects all servers.
 * Returns each server's loads by its name.
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
