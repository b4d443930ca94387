import type { ChartReader } from '../data/windows/chartReader.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** What the resolvers of one operation share. */
export interface OperationContext {
  readonly charts: ChartReader;
  /** The connections that were read, or failed, by response key: should the operation be executed again, it gets the same. */
  readonly connections: Map<string, Promise<object>>;
  /** What is known of the operation, once its document is understood. */
  readonly operation: { name: string | undefined };
  /** What the operation cost so far; `charts` counts in it. */
  readonly cost: UpstreamCost;
}
