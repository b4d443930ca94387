import type { Variables } from './environment.ts';

/** Programs read the variables of proxies in upper or in lower case. */
const IN_EITHER_CASE: readonly string[] = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY'];

/** The variables that a setting is read from: the first one that is not empty counts. As in curl, lower case comes first. */
export function variablesOf(setting: string): readonly string[] {
  return IN_EITHER_CASE.includes(setting) ? [setting.toLowerCase(), setting] : [setting];
}

/** The variable that a setting is read from; undefined when all are unset or empty. */
export function findVariable(setting: string, variables: Variables): string | undefined {
  return variablesOf(setting).find((name) => variables[name]?.trim());
}

/** The setting that a variable sets. Of any other variable the name, unchanged. */
export function settingOf(variable: string): string {
  const upperCase = variable.toUpperCase();
  return IN_EITHER_CASE.includes(upperCase) && variable === variable.toLowerCase() ? upperCase : variable;
}
