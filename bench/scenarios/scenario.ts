import type { Effort } from '../measure.ts';
import type { Outcome } from '../report.ts';

/** Measures; files that the load needs may be written to `folder`. */
export type Scenario = (effort: Effort, folder: string) => Promise<Outcome>;
