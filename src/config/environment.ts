import { lstatSync, readFileSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError, type ConfigProblem } from './configError.ts';
import { settingOf, variablesOf } from './variableNames.ts';

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of the process, with those of the file `.env` that it does not have itself. */
export interface Environment {
  readonly variables: Variables;
  /** Undefined when there is no such file, or a problem with it. */
  readonly file: EnvironmentFile | undefined;
  /** Why the file is not used. All variables are those of the process then. */
  readonly problems: readonly ConfigProblem[];
}

/** The file `.env` of the working folder. */
export interface EnvironmentFile {
  readonly path: string;
  /** All that it sets. */
  readonly variables: Variables;
  /** Names in the file that the environment also has, in either case for proxies, even if they are empty there. */
  readonly hidden: readonly string[];
}

const NAME = '.env';
const MAX_BYTES = 1_000_000;
/** Appended to the text: if the parser finds it, it has read every line before it as a separate line. */
const END = 'END_OF_FILE';
/** An empty line, a comment, or a name and a value. */
const LINE = /^\s*(?:#.*|(?:export\s+)?[^\s=#]+\s*=.*)?$/s;

/** Adds the variables of the file `.env` in the working folder to those of the process, which take precedence. */
export function readEnvironment(variables: Variables, folder = process.cwd()): Environment {
  const file = path.resolve(folder, NAME);
  try {
    if (!exists(file)) return { variables, file: undefined, problems: [] };
    const fromFile = parse(decode(read(file)));
    // Uses `hasOwn` because process.env inherits names such as `constructor`.
    const isHidden = (name: string): boolean =>
      variablesOf(settingOf(name)).some((variable) => Object.hasOwn(variables, variable));
    const hidden = Object.keys(fromFile).filter(isHidden);
    const added = Object.entries(fromFile).filter(([name]) => !isHidden(name));
    return {
      variables: { ...Object.fromEntries(added), ...variables },
      file: { path: file, variables: fromFile, hidden },
      problems: [],
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { variables, file: undefined, problems: error.problems };
  }
}

/** Whether the folder has such an entry; a broken link counts. */
function exists(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    // Reading it says why.
    return true;
  }
}

function read(file: string): Buffer {
  try {
    const fault = findFault(statSync(file));
    if (fault !== undefined) throw fileError(`expected a regular file of up to 1 MB, but got ${fault}`);
    return readFileSync(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw fileError(`expected a file that can be read, but got: ${(error as Error).message}`);
  }
}

/** Reading a device might never end. A pipe is fine: some secret managers provide the file as one. */
function findFault(stats: Stats): string | undefined {
  if (stats.isDirectory()) return 'a folder';
  if (!stats.isFile() && !stats.isFIFO()) return 'a device or a socket';
  return stats.size > MAX_BYTES ? `one of ${Math.ceil(stats.size / MAX_BYTES)} MB` : undefined;
}

/**
 * Removes a byte order mark. Text in UTF-16, which some editors write, is refused: it would contain none of the names.
 */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fileError('expected text in UTF-8, but got another encoding');
  }
}

/** Depending on its version, Node ignores any other line or adds it to the next name: a setting would silently be lost. */
function parse(text: string): Variables {
  const { [END]: end, ...variables } = parseEnv(`${text}\n${END}=true\n`);
  refuseLineBreaks(variables);
  const index = text.split('\n').findIndex((line) => !LINE.test(line));
  // A name with a space that is none for the parser, such as a tab after `export`.
  const isMisread = end === undefined || Object.keys(variables).some((name) => /\s/.test(name));
  if (index < 0 && !isMisread) return variables;
  // Shows only the number of the line: its text may be a part of a secret.
  const which = index < 0 ? '' : `: line ${index + 1}`;
  throw fileError(`expected lines such as NAME=value, but got another one${which}`);
}

/** A quote that is not closed makes the next lines a part of the value: their settings would be lost. */
function refuseLineBreaks(variables: Variables): void {
  const [name] = Object.entries(variables).find(([, value = '']) => /[\n\r]/.test(value)) ?? [];
  if (name === undefined) return;
  // Such a line may also have become a part of the next name.
  const whose = /^\w+$/.test(name) ? `the value of ${name}` : 'a value';
  throw fileError(`expected NAME=value on one line, but ${whose} spans several lines: is a quote missing?`);
}

function fileError(text: string): ConfigError {
  return new ConfigError([{ setting: NAME, text }]);
}
