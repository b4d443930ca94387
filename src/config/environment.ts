import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from './configError.ts';

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of the process, with those of the file `.env` that it does not have itself. */
export interface Environment {
  readonly variables: Variables;
  /** Undefined when there is no such file. */
  readonly file: EnvironmentFile | undefined;
}

/** The file `.env` of the working folder. */
export interface EnvironmentFile {
  readonly path: string;
  /** All that it sets. */
  readonly variables: Variables;
  /** Names in it that the process has itself, even empty ones. */
  readonly hidden: readonly string[];
}

const NAME = '.env';
/** Shows that the parser has read everything before it as lines of their own. */
const END = 'END_OF_FILE';

/**
 * Adds the variables of the file `.env` in the working folder to those of the process, which take precedence.
 *
 * @throws {ConfigError} When the file cannot be read.
 */
export function readEnvironment(variables: Variables, folder = process.cwd()): Environment {
  const file = path.resolve(folder, NAME);
  const bytes = readIfExists(file);
  if (!bytes) return { variables, file: undefined };
  const fromFile = parse(decode(bytes));
  const hidden = Object.keys(fromFile).filter((name) => variables[name] !== undefined);
  return { variables: { ...fromFile, ...variables }, file: { path: file, variables: fromFile, hidden } };
}

function readIfExists(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw fileError(`expected a file that can be read, but got: ${message}`);
  }
}

/** Without a byte order mark. Text in UTF-16, which some editors write, would have none of the names. */
function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw fileError('expected text in UTF-8, but got another encoding');
  }
}

/** The parser takes a line without `=` for a part of the next name, which would be lost without a word. */
function parse(text: string): Variables {
  const { [END]: end, ...variables } = parseEnv(`${text}\n${END}=true\n`);
  const stray = Object.keys(variables).find((name) => /\s/.test(name));
  if (stray === undefined && end !== undefined) return variables;
  const [first = ''] = stray?.split('\n') ?? [];
  const line = text.split('\n').findIndex((candidate) => first !== '' && candidate.trim() === first.trim());
  // Not its text, which may be a part of a secret.
  throw fileError(
    `expected lines such as NAME=value, but got another one${line < 0 ? '' : `: line ${line + 1}`}`,
  );
}

function fileError(text: string): ConfigError {
  return new ConfigError([{ setting: NAME, text }]);
}
