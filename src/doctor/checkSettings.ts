import { type Config, ConfigError, loadConfig } from '../config/loadConfig.ts';
import { SETTINGS, type Setting } from '../config/settings.ts';
import type { Finding } from './finding.ts';

const DECLARED: Readonly<Record<string, Setting>> = SETTINGS;

/** The settings of the environment, or the problems with them. */
interface CheckedSettings {
  /** Undefined when the server does not start with them. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Reads the settings as the server does, and notes what may surprise an operator. */
export function checkSettings(variables: Readonly<Record<string, string | undefined>>): CheckedSettings {
  try {
    const config = loadConfig(variables);
    const mode = variables.NODE_ENV?.trim() === 'production' ? 'production' : 'development';
    const found = `valid, for ${mode}; the server listens on ${config.host}:${config.port}`;
    return { config, findings: [{ part: 'Settings', state: 'ok', found }, ...toNotes(config, mode)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: error.problems.map(toFinding) };
  }
}

function toFinding(problem: string): Finding {
  const [, name = 'Settings', found = problem] = /^([A-Z_]+): (.*)$/s.exec(problem) ?? [];
  return { part: name, state: 'fix', found, advice: DECLARED[name]?.description.replaceAll('`', '') };
}

function toNotes({ keyapi, credits, apiKeys }: Config, mode: string): readonly Finding[] {
  const notes: Finding[] = [];
  if (keyapi.emulator) return notes;
  if (credits.perDay === undefined) {
    const found = "no CREDIT_BUDGET_PER_DAY: only the account's own credits limit spending";
    notes.push({ part: 'Budget', state: 'note', found, advice: 'Set it to what a UTC day may cost' });
  }
  if (mode === 'production' && !apiKeys) {
    const found = 'no API_KEYS: anybody who reaches the server can make it spend credits';
    notes.push({ part: 'Clients', state: 'note', found, advice: 'Set API_KEYS, unless that is intended' });
  }
  return notes;
}
