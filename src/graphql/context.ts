import type { ChartReader } from '../data/windows/chartReader.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** The context of one operation, shared by its resolvers. */
export interface OperationContext {
  readonly charts: ChartReader;
  /** The operation's name, which is known once its document has been parsed. */
  readonly operation: { name: string | undefined };
  /** What the operation has cost so far; `charts` adds to it. */
  readonly cost: UpstreamCost;
}
