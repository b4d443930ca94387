import { ConfigError, type ConfigProblem } from '../config/configError.ts';
import { type Environment, readEnvironment, type Variables } from '../config/environment.ts';
import { type Config, loadConfig } from '../config/loadConfig.ts';
import { SETTINGS, type Setting } from '../config/settings.ts';
import { findVariable, settingOf } from '../config/variableNames.ts';
import { addressOf } from '../domain/hostAndPort.ts';
import { PAGE_SIZE, pageEndpoint } from '../domain/page.ts';
import { describeFile } from './describeFile.ts';
import type { Finding } from './finding.ts';

const DECLARED: Readonly<Record<string, Setting>> = SETTINGS;

/** The settings of the environment, or the problems with them. */
interface CheckedSettings {
  /** Undefined when the server does not start with them. */
  readonly config: Config | undefined;
  readonly findings: readonly Finding[];
}

/** Reads the settings as the server does when it is started in `folder`, and notes what may surprise an operator. */
export function checkSettings(variables: Variables, folder: string): CheckedSettings {
  const environment = readEnvironment(variables, folder);
  const file = environment.file ? describeFile(environment.file) : [];
  try {
    const config = loadConfig(environment.variables, environment.problems);
    return { config, findings: [...file, ...describeConfig(config, environment)] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, findings: [...file, ...error.problems.map(toFinding)] };
  }
}

function toFinding({ setting, text }: ConfigProblem): Finding {
  const advice = DECLARED[settingOf(setting)]?.description.replaceAll('`', '');
  return { part: setting, state: 'fix', found: text, advice };
}

function describeConfig(config: Config, { variables }: Environment): Finding[] {
  const mode = variables.NODE_ENV?.trim() === 'production' ? 'production' : 'development';
  const found = `valid, for ${mode}; the server listens on ${addressOf(config)}`;
  const valid: Finding = { part: 'Settings', state: 'ok', found };
  if (config.keyapi.emulator) return [valid, ...noteUnusedUrl(variables)];
  return [
    valid,
    ...noteOtherProxy(config, variables),
    ...noteAddresses(variables),
    ...noteSpending(config, mode),
    ...noteSnapshots(config),
  ];
}

function noteUnusedUrl({ KEYAPI_BASE_URL }: Variables): Finding[] {
  if (!KEYAPI_BASE_URL?.trim()) return [];
  const found = 'not used: KEYAPI_EMULATOR turns on demo data';
  return [{ part: 'KEYAPI_BASE_URL', state: 'note', found, advice: 'Unset one of them' }];
}

/** The variable of a proxy for the other protocol is the only one that is set. */
function noteOtherProxy(
  { keyapi: { baseUrl, proxy, bypassedProxy } }: Config,
  variables: Environment['variables'],
): Finding[] {
  const isTls = baseUrl.protocol === 'https:';
  const [counts, other] = isTls ? ['HTTPS_PROXY', 'HTTP_PROXY'] : ['HTTP_PROXY', 'HTTPS_PROXY'];
  const variable = findVariable(other, variables);
  if (proxy || bypassedProxy || variable === undefined) return [];
  const found = `not used: KEYAPI_BASE_URL is ${isTls ? 'https' : 'http'}, for which ${counts} counts`;
  const advice = `Set ${counts} if this machine reaches KeyAPI only through a proxy`;
  return [{ part: variable, state: 'note', found, advice }];
}

/** `NO_PROXY` lists hosts. Other programs read it too, so that nothing in it keeps the server from starting. */
function noteAddresses(variables: Variables): Finding[] {
  const variable = findVariable('NO_PROXY', variables);
  if (variable === undefined || !variables[variable]?.includes('://')) return [];
  const found = 'has an entry with ://, which has no effect';
  return [{ part: variable, state: 'note', found, advice: 'Write only the host of the address' }];
}

function noteSpending({ credits, apiKeys }: Config, mode: string): Finding[] {
  const notes: Finding[] = [];
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

/** What SNAPSHOT_CHARTS costs, if nobody reads those charts. */
function noteSnapshots({ credits: { perDay }, history: { snapshots }, redis, cache }: Config): Finding[] {
  if (snapshots.length === 0) return [];
  const part = 'Snapshots';
  const pages = snapshots.reduce((sum, { ranks }) => sum + Math.ceil(ranks / PAGE_SIZE), 0);
  const credits = pages * pageEndpoint.credits;
  const found = `SNAPSHOT_CHARTS costs at most ${credits} credits a UTC day, for ${pages} pages of ${PAGE_SIZE} videos`;
  if (perDay !== undefined && credits > perDay) {
    const advice = 'The budget does not pay for all of them. Raise it, or name fewer charts or ranks';
    return [{ part, state: 'note', found: `${found}: more than CREDIT_BUDGET_PER_DAY (${perDay})`, advice }];
  }
  if (!redis && cache.file === undefined) {
    const advice =
      'Set REDIS_URL or CACHE_FILE. Otherwise a restart loses the ranks, and the server buys them again in the ' +
      'evening';
    return [{ part, state: 'note', found, advice }];
  }
  return [{ part, state: 'ok', found }];
}
