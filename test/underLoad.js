// Runs a command again and again while every core is kept busy, and fails when it failed once.
//   npm run test:load -- 20 npm test -- rateLimits
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const [times, command, ...args] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times ?? '') || command === undefined) {
  console.error(`Expected a number of runs and a command, but got: ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}

const load = Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
);
process.on('exit', () => {
  for (const child of load) child.kill('SIGKILL');
});
process.on('SIGINT', () => process.exit(1));

let passed = 0;
for (let run = 1; run <= Number(times); run++) {
  const startedAt = performance.now();
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 30 });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${run}: ${status === 0 ? 'passed' : 'failed'} in ${seconds} s`);
  if (status === 0) passed++;
  else console.log(`${stdout}${stderr}`);
}
console.log(`${passed} of ${times} passed under load`);
// The load would keep this process alive.
process.exit(passed === Number(times) ? 0 : 1);
