import type { GraphQLError, OperationDefinitionNode } from 'graphql';
import type { OperationHistory } from '../data/history/operationHistory.ts';
import type { OperationStats } from '../data/stats/operationStats.ts';
import type { ChartReader } from '../data/windows/chartReader.ts';
import type { UpstreamCost } from '../domain/upstreamCost.ts';

/** `query`, `mutation` or `subscription`. */
export type OperationType = `${OperationDefinitionNode['operation']}`;

/** The context of one operation, shared by its resolvers. */
export interface OperationContext {
  readonly charts: ChartReader;
  readonly stats: OperationStats;
  readonly history: OperationHistory;
  /** The operation's name and type, which are known once its document has been parsed. */
  readonly operation: { name: string | undefined; type: OperationType | undefined };
  /** What the operation has cost so far; `charts` and `stats` add to it. */
  readonly cost: UpstreamCost;
  /** Errors in rows that were executed apart from the rest of the operation: see `RowJson`. */
  readonly rowErrors: GraphQLError[];
}
