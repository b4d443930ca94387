import { parseArgs } from 'node:util';
import { checkNode } from '../doctor/checkNode.ts';
import { hasTrouble, renderFindings } from '../doctor/renderFindings.ts';

const USAGE = `Usage: npm run doctor -- [options]

Looks at the settings in the environment and at all that they name, and says what to do. Exits with 1 when something must
be mended. Settings in a file: node --env-file=.env dist/bin/doctor.js

  --call   make one call to KeyAPI, which tells whether the token is accepted: 2 credits
  --help   this text
`;

function write(text: string): void {
  process.stdout.write(text);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { call: { type: 'boolean' }, help: { type: 'boolean' } } });
  if (values.help) return write(USAGE);
  const node = checkNode(process.versions.node);
  const findings = [node];
  if (node.state === 'ok') {
    // Not before that: the rest may not even load on an old Node.
    const { examine } = await import('../doctor/examine.ts');
    const onCall = (origin: string): void => write(`One call to ${origin}: 2 credits.\n\n`);
    findings.push(...(await examine({ variables: process.env, call: values.call === true, onCall })));
  }
  write(renderFindings(findings));
  process.exitCode = hasTrouble(findings) ? 1 : 0;
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
