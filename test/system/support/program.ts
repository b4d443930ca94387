import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A started program and its output. */
export interface Program {
  readonly child: ChildProcess;
  /** Everything printed so far, on both streams. */
  readonly output: () => string;
  /** Resolves with the first match in the output. */
  see(pattern: RegExp): Promise<RegExpExecArray>;
  /** Resolves with the exit code when the program has ended and its streams are closed: the output is complete then. */
  readonly exit: Promise<number | null>;
}

/** The built server. */
export const MAIN = path.resolve('dist/main.js');

/** Time limits that no slow machine exceeds: for all tests that are not about time limits. */
export const PATIENT = {
  KEYAPI_TIMEOUT_MS: '600000',
  OPERATION_TIMEOUT_MS: '600000',
  MAX_EVENT_LOOP_DELAY_MS: '600000',
};

/**
 * Starts a program with only these environment variables and PATH. Without `cwd` it runs in an empty folder, which is removed
 * when it ends: a developer's own files must not affect it.
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
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      for (const check of listeners) check();
    });
  }
  const see = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(output);
        if (match) resolve(match);
      };
      listeners.add(check);
      void exit.then(() => reject(new Error(`the program ended before it printed ${pattern}:\n${output}`)));
      check();
    });
  return { child, output: () => output, see, exit };
}

/** Sends a query to a GraphQL endpoint over HTTP; returns the JSON of the response. */
export async function postQuery(url: string, query: string): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  return response.json();
}
