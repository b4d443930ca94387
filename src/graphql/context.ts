import type { ChartReader } from '../data/chartReader.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** What the resolvers of one operation share. */
export interface OperationContext {
  readonly charts: ChartReader;
  /** What the operation cost so far; `charts` counts in it. */
  readonly cost: UpstreamCost;
}
