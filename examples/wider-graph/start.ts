import { spawn } from 'node:child_process';

// Runs scripts of this package in parallel, until a signal arrives or one of them exits.
const children = process.argv
  .slice(2)
  .map((name) => spawn('npm', ['run', '--silent', name], { stdio: 'inherit' }));

function endAll(): void {
  for (const child of children) child.kill('SIGTERM');
}

for (const child of children) child.once('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endAll);
