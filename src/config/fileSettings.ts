import type { EnvironmentFile } from './environment.ts';
import { SETTINGS } from './settings.ts';
import { variablesOf } from './variableNames.ts';

/** The settings in the file `.env`, by name. */
export interface FileSettings {
  readonly used: readonly string[];
  /** Not used, because the environment has the same names. */
  readonly hidden: readonly string[];
}

/** Which settings the file has. One that it sets to nothing does not count. */
export function listFileSettings({ variables, hidden }: EnvironmentFile): FileSettings {
  const names = Object.keys(SETTINGS)
    .flatMap(variablesOf)
    .filter((name) => variables[name]?.trim());
  return {
    used: names.filter((name) => !hidden.includes(name)),
    hidden: names.filter((name) => hidden.includes(name)),
  };
}
