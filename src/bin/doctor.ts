import { systemClock } from '../compose/systemClock.ts';
import { runDoctor, USAGE } from '../doctor/runDoctor.ts';

try {
  process.exitCode = await runDoctor({
    args: process.argv.slice(2),
    variables: process.env,
    folder: process.cwd(),
    clock: systemClock,
    write: (text) => void process.stdout.write(text),
  });
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
