/** What is wrong with a setting. */
export interface ConfigProblem {
  /** Its name; `.env` for the file. */
  readonly setting: string;
  /** Contains no secret. */
  readonly text: string;
}

/** Lists every problem of the settings. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(`The settings are not valid:\n${problems.map((problem) => `  - ${toLine(problem)}`).join('\n')}`);
  }
}

/** A problem as it is printed. */
export function toLine({ setting, text }: ConfigProblem): string {
  return `${setting}: ${text}`;
}
