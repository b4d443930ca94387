import { CONNECTIONS, type Load, type LoadSpec, runLoad } from './load.ts';

/** How much is measured. */
export interface Effort {
  /** Number of rounds; the figures are medians over them. */
  readonly rounds: number;
  /** Length of the warm-up load before the first round: in the first seconds V8 compiles the code that is used most. */
  readonly firstWarmUpSeconds: number;
  /** Operations of the trace whose cost is compared. */
  readonly tracedOperations: number;
  /** Operations after which memory is measured. */
  readonly memoryOperations: number;
}

/** A load that is one row of a table. */
export interface NamedLoad extends LoadSpec {
  readonly name: string;
}

/** Length of one load, and of the warm-up load before it, which is not measured, in seconds. */
const LOAD_SECONDS = 1;

/** The loads of a row, one per round. */
export type Loads = ReadonlyMap<string, readonly Load[]>;

/** The middle value, or the mean of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** The quotients of figures of the same round. */
export function ratiosOf(figures: readonly number[], others: readonly number[]): readonly number[] {
  return figures.map((value, round) => value / (others[round] ?? Number.NaN));
}

/** The items in their order in even rounds, and backwards in odd ones, so that none always follows the same one. */
export function takeTurns<T>(items: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? items : items.toReversed();
}

/**
 * Runs all loads in every round, so that those of a round are compared with each other: the speed of a machine changes
 * slowly.
 */
export async function loadInTurns(
  specs: readonly NamedLoad[],
  { rounds, firstWarmUpSeconds }: Effort,
): Promise<Loads> {
  const loads = new Map<string, Load[]>(specs.map(({ name }) => [name, []]));
  const positions = new Map<string, number>();

  /** Continues after the bodies that were sent before: a load that began again would find its first responses cached. */
  async function loadNext(spec: NamedLoad, forSeconds: number): Promise<Load> {
    const from = positions.get(spec.name) ?? 0;
    const load = await runLoad(spec, from, forSeconds);
    // Those in flight at the end are not counted.
    positions.set(spec.name, from + load.requests + CONNECTIONS);
    return load;
  }

  for (const spec of specs) await loadNext(spec, firstWarmUpSeconds);
  for (let round = 0; round < rounds; round++) {
    for (const spec of takeTurns(specs, round)) {
      await loadNext(spec, LOAD_SECONDS);
      loads.get(spec.name)?.push(await loadNext(spec, LOAD_SECONDS));
    }
  }
  return loads;
}
