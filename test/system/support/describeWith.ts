import { execFileSync } from 'node:child_process';
import { describe, it } from '@jest/globals';

/** A block of tests; skipped when there is a reason, which its name then shows. */
export function describeUnless(reason: string | undefined, name: string, tests: () => void): void {
  if (reason === undefined) describe(name, tests);
  else describe.skip(`${name} (skipped: ${reason})`, tests);
}

/** A test; skipped when there is a reason, which its name then shows. */
export function itUnless(
  reason: string | undefined,
  name: string,
  test: () => Promise<void>,
  timeoutMs?: number,
): void {
  if (reason === undefined) it(name, test, timeoutMs);
  else it.skip(`${name} (skipped: ${reason})`, test);
}

/** A block of tests that need a program; skipped when it is not on the PATH. */
export function describeWith(program: string, name: string, tests: () => void): void {
  describeUnless(findProgram(program) ? undefined : `${program} is not on the PATH`, name, tests);
}

/** The path of a program; undefined when it is not on the PATH. */
export function findProgram(name: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
