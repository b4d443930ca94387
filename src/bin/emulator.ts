import { parseArgs } from 'node:util';
import { ConfigError, toLine } from '../config/configError.ts';
import { readEnvironment, type Variables } from '../config/environment.ts';
import { explainListenError } from '../config/listeners.ts';
import { parseUtcDay } from '../domain/utcDay.ts';
import { createEmulator } from '../keyapi/emulator/emulator.ts';

const USAGE = `Usage: npm run emulator -- [options]

  --port N            where to listen on 127.0.0.1; by default on the port of KEYAPI_BASE_URL if that is the address of
                      an emulator on this machine (http://127.0.0.1:4011, also in the file .env), else on 4010
  --token TEXT        the bearer token to require; by default any is accepted
  --credits N         credits left until every response is 402; by default unlimited
  --qps N             requests allowed in any second before 429; by default unlimited
  --latency-ms N      how long each response takes (0)
  --analytics-status N
                      the error that every request for numbers on videos gets, from 400 to 599; by default none
  --unknown-percent N how many videos have no numbers, in percent (0)
  --date YYYY-MM-DD   the UTC day whose charts are served; by default today: they move from day to day
  --rotate-seconds N  move every chart by one rank every N seconds; by default they do not move within a day
  --help              this text
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
    `KeyAPI emulator: KEYAPI_BASE_URL=${url.origin}, counts at ${url.origin}/stats. Ctrl-C ends it.\n`,
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
