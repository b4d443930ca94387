// Runs a command several times while every core is busy, and fails if any run failed.
//   npm run test:load -- 20 npm test -- rateLimits
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

const [times, command, ...args] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(times ?? '') || command === undefined) {
  console.error(`Expected a number of runs and a command, but got: ${process.argv.slice(2).join(' ')}`);
  process.exit(1);
}

// Each busy process exits when this process has exited, for whatever reason.
const BUSY = `while (process.ppid === ${process.pid});`;
for (let core = 0; core < availableParallelism(); core++) {
  spawn(process.execPath, ['-e', BUSY], { stdio: 'ignore' }).unref();
}

let passed = 0;
for (let run = 1; run <= Number(times); run++) {
  const startedAt = performance.now();
  const { isPassed, output } = await execute();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${run}: ${isPassed ? 'passed' : 'failed'} in ${seconds} s`);
  if (isPassed) passed++;
  else console.log(output);
}
console.log(`${passed} of ${times} passed under load`);
process.exitCode = passed === Number(times) ? 0 : 1;

async function execute() {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  return { isPassed: code === 0, output };
}
