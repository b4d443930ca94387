import { type Config, ConfigError, loadConfig } from '../config/loadConfig.ts';
import type { Finding } from './finding.ts';

/** What the environment says: the settings, or what is wrong with them. */
export interface CheckedSettings {
  /** Undefined when the server would not start with them. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Reads the settings as the server does, and looks for what may surprise. */
export function checkSettings(variables: Readonly<Record<string, string | undefined>>): CheckedSettings {
  try {
    const config = loadConfig(variables);
    const mode = variables.NODE_ENV?.trim() === 'production' ? 'production' : 'development';
    const found = `valid, for ${mode}, to listen at ${config.host}:${config.port}`;
    return { config, findings: [{ part: 'Settings', state: 'ok', found }, ...toNotes(config, mode)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: error.problems.map(toTrouble) };
  }
}

function toTrouble(problem: string): Finding {
  const [, name = 'Settings', found = problem] = /^([A-Z_]+): (.*)$/s.exec(problem) ?? [];
  return { part: name, state: 'fix', found, advice: '.env.example has every variable, with what it may be' };
}

function toNotes({ keyapi, credits, apiKeys }: Config, mode: string): readonly Finding[] {
  const notes: Finding[] = [];
  if (keyapi.emulator) return notes;
  if (credits.perDay === undefined) {
    const found = "no CREDIT_BUDGET_PER_DAY: nothing but the account's own credits ends the spending";
    notes.push({ part: 'Budget', state: 'note', found, advice: 'Set it to what a UTC day may cost' });
  }
  if (mode === 'production' && !apiKeys) {
    const found = 'no API_KEYS: whoever reaches the server may have it spend credits';
    notes.push({ part: 'Clients', state: 'note', found, advice: 'Set keys, unless all may' });
  }
  return notes;
}
