import { parseArgs } from 'node:util';
import { ConfigError, toLine } from '../config/configError.ts';
import { readEnvironment, type Variables } from '../config/environment.ts';
import { explainListenError } from '../config/listeners.ts';
import { parseUtcDay } from '../domain/utcDay.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';

const USAGE = `Usage: npm run emulator -- [options]

Runs an emulator of KeyAPI with demo data on 127.0.0.1.

  --port N            the port to listen on; by default the port of KEYAPI_BASE_URL (also in the file .env) if that is
                      an http address on this machine, such as http://127.0.0.1:4011, or else 4010
  --token TEXT        the bearer token that requests must have; by default any token is accepted
  --credits N         how many credits the account has; when they are spent, every response is 402; by default unlimited
  --qps N             how many requests are allowed within any second; further ones get 429; by default unlimited
  --latency-ms N      how long each response takes, in milliseconds; by default 0
  --analytics-status N
                      respond to every request for numbers on videos with this error, 400 to 599; by default none
  --unknown-percent N the percentage of videos that have no numbers; by default 0
  --date YYYY-MM-DD   serve the charts of this UTC day; by default today. The charts change every day
  --rotate-seconds N  move every chart by one rank every N seconds; by default charts do not move within a day
  --help              show this text
`;

const DEFAULT_PORT = 4010;
const NUMBERS = [
  'port',
  'credits',
  'qps',
  'latency-ms',
  'analytics-status',
  'unknown-percent',
  'rotate-seconds',
] as const;

function readOptions() {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      token: { type: 'string' },
      credits: { type: 'string' },
      qps: { type: 'string' },
      'latency-ms': { type: 'string', default: '0' },
      'analytics-status': { type: 'string' },
      'unknown-percent': { type: 'string', default: '0' },
      date: { type: 'string' },
      'rotate-seconds': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  for (const name of NUMBERS) {
    const value = values[name];
    if (value !== undefined && !/^\d{1,6}$/.test(value)) {
      throw new TypeError(`--${name}: expected a whole number of up to 6 digits, but got: ${value}`);
    }
  }
  const status = values['analytics-status'];
  if (status !== undefined && !/^[45]\d\d$/.test(status)) {
    throw new TypeError(`--analytics-status: expected an error from 400 to 599, but got: ${status}`);
  }
  const date = values.date === undefined ? undefined : parseUtcDay(values.date);
  if (date === undefined && values.date !== undefined) {
    throw new TypeError(`--date: expected a date as YYYY-MM-DD, but got: ${values.date}`);
  }
  const number = (name: (typeof NUMBERS)[number]): number | undefined =>
    values[name] === undefined ? undefined : Number(values[name]);
  return { help: values.help, token: values.token, date, number };
}

/** The port on which the server that has the same settings expects an emulator. */
function readDefaultPort(): number {
  const { variables, problems } = readEnvironment(process.env);
  if (problems.length > 0) throw new ConfigError(problems);
  return toDefaultPort(variables);
}

function toDefaultPort({ KEYAPI_BASE_URL = '' }: Variables): number {
  const address = KEYAPI_BASE_URL.trim();
  if (!URL.canParse(address)) return DEFAULT_PORT;
  const { protocol, hostname, port } = new URL(address);
  // It listens on 127.0.0.1 alone.
  const isHere = protocol === 'http:' && /^(localhost|127\.0\.0\.1)$/.test(hostname);
  return isHere && port !== '' ? Number(port) : DEFAULT_PORT;
}

async function main(): Promise<void> {
  const { help, token, date, number } = readOptions();
  if (help) {
    process.stdout.write(USAGE);
    return;
  }
  const emulator = createEmulator({
    token,
    date,
    credits: number('credits'),
    qps: number('qps'),
    latencyMs: number('latency-ms') ?? 0,
    analyticsStatus: number('analytics-status'),
    unknownVideos: (number('unknown-percent') ?? 0) / 100,
  });
  const rotateSeconds = number('rotate-seconds');
  if (rotateSeconds) setInterval(() => emulator.switches.rotation++, rotateSeconds * 1000).unref();
  const port = number('port') ?? readDefaultPort();
  const url = await emulator.listen(port).catch((error: unknown) => {
    const problem = explainListenError(error, { setting: '--port', host: '127.0.0.1', port });
    throw problem ? new Error(toLine(problem)) : error;
  });
  process.stdout.write(
    `KeyAPI emulator: KEYAPI_BASE_URL=${url.origin}, request counts at ${url.origin}/stats. Press Ctrl-C to stop it.\n`,
  );
  process.on('SIGINT', () => void emulator.close());
  process.on('SIGTERM', () => void emulator.close());
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exitCode = 1;
}
