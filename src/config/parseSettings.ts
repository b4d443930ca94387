import type { ConfigProblem } from './configError.ts';
import type { Variables } from './environment.ts';
import { findNearMisses } from './nearMisses.ts';
import { findRedisProblems } from './redisConfig.ts';
import { describeValue } from './secrets.ts';
import { SETTINGS, type Setting, type SettingValues } from './settings.ts';
import { findVariable } from './variableNames.ts';

/** The values of all settings, or what is wrong with them. */
export interface ParsedSettings {
  /** Undefined when there is a problem. */
  readonly values: SettingValues | undefined;
  /** The variable that a setting was read from. */
  readonly sourceOf: (setting: keyof SettingValues) => string;
  /** Whether the embedded emulator is used instead of KeyAPI. */
  readonly emulator: boolean;
  readonly problems: readonly ConfigProblem[];
}

const SEVERAL_LINES = 'expected a value on one line';
const IN_QUOTES = 'expected a value without quotes around it (docker run --env-file does not remove them)';
const TOKEN_MISSING =
  'expected the bearer token of your KeyAPI account (or set KEYAPI_EMULATOR=true for demo data)';
const TOKEN_MISSING_FOR_URL =
  'expected the bearer token for KEYAPI_BASE_URL (or set KEYAPI_EMULATOR=true for demo data)';
const MANIFEST_MISSING =
  'expected the manifest of trusted documents, which PERSISTED_DOCUMENTS_ONLY=true requires';
const HISTORY_TOO_SHORT =
  'expected at least 2 with SNAPSHOT_CHARTS, which compares today with an earlier day';

/**
 * Parses each setting, and checks them together. A variable that is set to nothing counts as unset.
 *
 * @param fileProblems Why the file `.env` was not read, if there is one: they come first.
 */
export function parseSettings(
  variables: Variables,
  fileProblems: readonly ConfigProblem[] = [],
): ParsedSettings {
  const trimmed = Object.entries(variables).map(([name, value]) => [name, value?.trim()] as const);
  const present: Variables = Object.fromEntries(trimmed.filter(([, value]) => value !== undefined));
  const set: Variables = Object.fromEntries(trimmed.filter(([, value]) => value));
  const sourceOf = (name: string): string => findVariable(name, set) ?? name;
  const parsed = Object.entries<Setting>(SETTINGS).map(([name, setting]) => ({
    name,
    ...parseSetting(setting, set[sourceOf(name)]),
  }));
  // Each was parsed by the schema that the type is made from.
  const values = Object.fromEntries(parsed.map(({ name, value }) => [name, value])) as Partial<SettingValues>;
  const problems = [
    ...fileProblems,
    ...parsed.flatMap(({ name, problems }) => problems.map((text) => ({ setting: sourceOf(name), text }))),
    // What is missing may be in the file.
    ...(fileProblems.length === 0 ? findMissing(set, values) : []),
    ...findConflicts(set, values),
    ...findRedisProblems(set, values),
    ...findNearMisses(present),
  ];
  const isValid = problems.length === 0;
  return {
    values: isValid ? (values as SettingValues) : undefined,
    sourceOf,
    emulator: usesEmulator(set),
    problems,
  };
}

interface ParsedSetting {
  readonly value?: unknown;
  readonly problems: readonly string[];
}

function parseSetting(setting: Setting, given: string | undefined): ParsedSetting {
  const { type, default: fallback } = setting;
  const text = given ?? fallback;
  if (text === undefined) return { problems: [] };
  // Nothing of it is shown: it may have other variables in it, after a quote that is not closed.
  if (/[\n\r]/.test(text)) return { problems: [SEVERAL_LINES] };
  const inQuotes = type.parts(text).find(isInQuotes);
  if (inQuotes !== undefined) return { problems: [`${IN_QUOTES}${describeValue(setting, inQuotes)}`] };
  const { data, error } = type.schema.safeParse(text);
  if (!error) return { value: data, problems: [] };
  return {
    problems: error.issues.map(({ message, path }) => {
      // The items of a list are checked one by one.
      const item = typeof path[0] === 'number' ? type.items(text)[path[0]] : undefined;
      return `${message}${describeValue(setting, item ?? text)}`;
    }),
  };
}

/** True for a quote on only one side, too: the other one may be missing, or be on another line. */
function isInQuotes(text: string): boolean {
  return /^["'`]|["'`]$/.test(text);
}

/** Settings that others require. */
function findMissing(set: Variables, values: Partial<SettingValues>): ConfigProblem[] {
  const missing: ConfigProblem[] = [];
  const { KEYAPI_TOKEN, KEYAPI_BASE_URL, KEYAPI_EMULATOR, PERSISTED_DOCUMENTS } = set;
  if (KEYAPI_TOKEN === undefined && !usesEmulator(set)) {
    missing.push({ setting: 'KEYAPI_TOKEN', text: TOKEN_MISSING });
  } else if (KEYAPI_TOKEN === undefined && KEYAPI_BASE_URL !== undefined && KEYAPI_EMULATOR === undefined) {
    // If an address is set, demo data is not expected.
    missing.push({ setting: 'KEYAPI_TOKEN', text: TOKEN_MISSING_FOR_URL });
  }
  if (values.PERSISTED_DOCUMENTS_ONLY && PERSISTED_DOCUMENTS === undefined) {
    missing.push({ setting: 'PERSISTED_DOCUMENTS', text: MANIFEST_MISSING });
  }
  return missing;
}

/** Settings that exclude each other. */
function findConflicts(set: Variables, values: Partial<SettingValues>): ConfigProblem[] {
  const conflicts: ConfigProblem[] = [];
  const { METRICS_PORT, SNAPSHOT_CHARTS, HISTORY_DAYS } = set;
  if (SNAPSHOT_CHARTS !== undefined && values.HISTORY_DAYS !== undefined && values.HISTORY_DAYS < 2) {
    const text = `${HISTORY_TOO_SHORT}${describeValue(SETTINGS.HISTORY_DAYS, HISTORY_DAYS ?? '')}`;
    conflicts.push({ setting: 'HISTORY_DAYS', text });
  }
  // Any number of servers may take a free port.
  if (METRICS_PORT !== undefined && values.METRICS_PORT && values.METRICS_PORT === values.PORT) {
    const text = `expected another port than PORT${describeValue(SETTINGS.METRICS_PORT, METRICS_PORT)}`;
    conflicts.push({ setting: 'METRICS_PORT', text });
  }
  return conflicts;
}

/** Reads raw variables, so that a missing token is reported together with invalid settings, a misspelt `NODE_ENV` above all. */
function usesEmulator({ KEYAPI_EMULATOR, KEYAPI_TOKEN, NODE_ENV = '' }: Variables): boolean {
  // Also matches `prod`, which is a problem itself: this only decides whether a missing token is reported too.
  if (KEYAPI_EMULATOR === undefined) return KEYAPI_TOKEN === undefined && !/prod/i.test(NODE_ENV);
  return SETTINGS.KEYAPI_EMULATOR.type.schema.safeParse(KEYAPI_EMULATOR).data !== false;
}
