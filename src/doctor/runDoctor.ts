import { parseArgs } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import { checkNode } from './checkNode.ts';
import { hasTrouble, renderFindings } from './renderFindings.ts';

/** How the doctor is called, and by whom. */
export interface RunDoctorOptions {
  /** The command line's arguments. */
  readonly args: readonly string[];
  /** The environment. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly clock: Clock;
}

/** How the doctor is called. */
export const USAGE = `Usage: npm run doctor -- [options]

Looks at the settings in the environment and at all that they name, and says what to do. Exits with 1 when something must
be mended. Settings in a file: node --env-file=.env dist/bin/doctor.js

  --call   make one call to KeyAPI, which tells whether the token is accepted: 2 credits
  --help   this text
`;

/**
 * Looks at everything that the server needs, and writes what it finds; gives the exit code.
 *
 * @throws {TypeError} When there is no such option.
 */
export async function runDoctor({ args, variables, write, clock }: RunDoctorOptions): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { call: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    write(USAGE);
    return 0;
  }
  const node = checkNode(process.versions.node);
  const findings = [node];
  if (node.state === 'ok') {
    // Not before that: the rest may not even load on an old Node.
    const { examine } = await import('./examine.ts');
    const onCall = (origin: string): void => write(`One call to ${origin}: 2 credits.\n\n`);
    findings.push(...(await examine({ variables, call: values.call === true, onCall, clock })));
  }
  write(renderFindings(findings));
  return hasTrouble(findings) ? 1 : 0;
}
