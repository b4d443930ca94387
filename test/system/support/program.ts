import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A program that was started, and what it prints. */
export interface Program {
  readonly child: ChildProcess;
  /** All that was printed so far, on both streams. */
  readonly output: () => string;
  /** Resolves with the first match in the output. */
  see(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with its exit code when it, and whatever else writes to its streams, has ended: the output is whole then. */
  readonly exit: Promise<number | null>;
}

/** The server. */
export const MAIN = path.resolve('dist/main.js');

/** Variables with which a server never finds that its machine is too slow: for all tests that are not about that. */
export const PATIENT = {
  KEYAPI_TIMEOUT_MS: '600000',
  OPERATION_TIMEOUT_MS: '600000',
  MAX_EVENT_LOOP_DELAY_MS: '600000',
};

/**
 * Starts a program with these environment variables and no others but PATH. Unless it needs a certain folder to work in, it
 * gets an empty one, which goes when it ends: a developer's own files must not reach it.
 */
export function startProgram(
  command: readonly string[],
  variables: Record<string, string> = {},
  cwd?: string,
): Program {
  const [file = '', ...args] = command;
  const folder = cwd ?? mkdtempSync(path.join(tmpdir(), 'program-'));
  const child = spawn(file, args, { cwd: folder, env: { PATH: process.env.PATH ?? '', ...variables } });
  const exit = once(child, 'close').then(async ([code]): Promise<number | null> => {
    if (cwd === undefined) await rm(folder, { recursive: true, force: true });
    return code;
  });
  let output = '';
  const lookers = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const look of lookers) look();
    });
  }
  const see = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(output);
        if (match) resolve(match);
      };
      lookers.add(look);
      void exit.then(() => reject(new Error(`it ended before ${pattern}:\n${output}`)));
      look();
    });
  return { child, output: () => output, see, exit };
}

/** Sends a query to a GraphQL endpoint over HTTP; gives the answer's JSON. */
export async function postQuery(url: string, query: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}
