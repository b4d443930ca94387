// Runs the checks and then the tests; with a pattern of file names, only the tests that match it.
//   node test/gate.js <npm script of the checks> <Jest configuration> [pattern] [Jest options]
import { spawnSync } from 'node:child_process';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const [checks = '', config = '', ...args] = process.argv.slice(2);
const hasPattern = args[0] !== undefined && !args[0].startsWith('-');

if (!hasPattern && !args.includes('--watch')) run('npm', ['run', '--silent', checks]);
run(process.execPath, [...JEST, '--config', config, ...args]);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
