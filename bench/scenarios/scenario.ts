import type { Effort } from '../measure.ts';
import type { Outcome } from '../report.ts';

/** Where a scenario finds and puts files. */
export interface Files {
  /** A folder for what is needed during the run alone. */
  readonly folder: string;
  /** Hive Gateway's supergraph. */
  readonly supergraph: string;
}

/** Starts its servers, measures, and ends them. */
export type Scenario = (effort: Effort, files: Files) => Promise<Outcome>;
