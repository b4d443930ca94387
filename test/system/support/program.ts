import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** A program that was started, and what it prints. */
export interface Program {
  readonly child: ChildProcess;
  /** All that was printed so far, on both streams. */
  readonly output: () => string;
  /** Resolves with the first match in the output. */
  see(pattern: RegExp): Promise<RegExpExecArray>;
  readonly exit: Promise<number | null>;
}

/** Starts a program with these environment variables and no others but PATH. */
export function startProgram(
  command: readonly string[],
  variables: Record<string, string> = {},
  cwd = process.cwd(),
): Program {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd, env: { PATH: process.env.PATH ?? '', ...variables } });
  const exit = once(child, 'exit').then(([code]): number | null => code);
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
