import type { Effort } from '../measure.ts';
import type { Outcome } from '../report.ts';

/** The files of a scenario. */
export interface Files {
  /** A folder for temporary files. */
  readonly folder: string;
  /** The file of Hive Gateway's supergraph. */
  readonly supergraph: string;
}

/** Starts its servers, measures, and stops them. */
export type Scenario = (effort: Effort, files: Files) => Promise<readonly Outcome[]>;
