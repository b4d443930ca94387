// Runs checks and then tests; with a pattern of file names, nothing but the tests that match it.
//   node test/gate.js <npm script of the checks> <Jest's configuration> [Jest's arguments]
import { spawnSync } from 'node:child_process';

const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const [checks = '', config = '', ...args] = process.argv.slice(2);
const isWhole = args.every((arg) => arg.startsWith('--'));

if (isWhole) run('npm', ['run', '--silent', checks]);
run(process.execPath, [...JEST, '--config', config, ...args]);

function run(command, args) {
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
