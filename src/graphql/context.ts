import type { GraphQLError } from 'graphql';
import type { OperationHistory } from '../data/history/operationHistory.ts';
import type { OperationStats } from '../data/stats/operationStats.ts';
import type { ChartReader } from '../data/windows/chartReader.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** The context of one operation, shared by its resolvers. */
export interface OperationContext {
  readonly charts: ChartReader;
  readonly stats: OperationStats;
  readonly history: OperationHistory;
  /** The operation's name, which is known once its document has been parsed. */
  readonly operation: { name: string | undefined };
  /** What the operation has cost so far; `charts` and `stats` add to it. */
  readonly cost: UpstreamCost;
  /** Errors in rows that were executed apart from the rest of the operation: see `RowJson`. */
  readonly rowErrors: GraphQLError[];
}
