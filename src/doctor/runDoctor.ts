import { parseArgs } from 'node:util';
import type { Clock } from '../domain/clock.ts';
import { checkNode } from './checkNode.ts';
import { needsFixing, renderFindings } from './renderFindings.ts';

/** How the doctor is called, and what it uses. */
interface RunDoctorOptions {
  /** The command line's arguments. */
  readonly args: readonly string[];
  /** The environment. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Where the server is started. */
  readonly folder: string;
  readonly write: (text: string) => void;
  readonly clock: Clock;
}

/** The text of `--help`. */
export const USAGE = `Usage: npm run doctor -- [options]

Checks the settings, in the environment and in the file .env of this folder, and the files and services that they refer
to, and says how to fix each problem. Exits with code 1 if something needs fixing.

  --call   also make two calls to KeyAPI, to check whether it accepts the token for charts and for numbers on videos;
           they cost 3 credits
  --help   show this text
`;

/**
 * Checks everything that the server needs, and writes the findings; returns the exit code.
 *
 * @throws {TypeError} For an unknown option.
 */
export async function runDoctor({
  args,
  variables,
  folder,
  write,
  clock,
}: RunDoctorOptions): Promise<number> {
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
    // Imported only now: it may not load on an older Node.
    const { examine } = await import('./examine.ts');
    const onCall = (origin: string): void => write(`Two calls to ${origin}: 3 credits.\n\n`);
    findings.push(...(await examine({ variables, folder, call: values.call === true, onCall, clock })));
  }
  write(renderFindings(findings));
  return needsFixing(findings) ? 1 : 0;
}
