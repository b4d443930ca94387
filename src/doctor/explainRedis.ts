import { explainConnection, type Trouble } from './connectionTrouble.ts';

const ADDRESS = 'redis://user:password@host:port/database';

/** What Redis refuses with, by the beginning of its words. */
const REFUSALS: readonly (readonly [RegExp, string, (prefix: string) => string])[] = [
  [
    /^(WRONGPASS|ERR invalid password)/,
    'it does not accept the user or the password',
    () => `Correct them in REDIS_URL (${ADDRESS}); write @ : / ? # in a password as %40 %3A %2F %3F %23`,
  ],
  [/NOAUTH/, 'it asks for a password', () => `Write it into REDIS_URL: ${ADDRESS}`],
  [
    /NOPERM|can't run this command|unknown command/i,
    'this user may not run all that is needed, scripts above all',
    (prefix) =>
      `Let an administrator allow it: ACL SETUSER name ~${prefix}:* +@read +@write +@scripting +@keyspace +@connection +time`,
  ],
  [
    /READONLY|read only replica/,
    'it is a replica, which cannot be written to',
    () => 'Name its primary in REDIS_URL',
  ],
  [
    /OOM/,
    'its memory is full',
    () =>
      'Give it more, or the policy volatile-lru, as compose.yaml has it: all our keys have a time to live',
  ],
  [/MISCONF/, 'it cannot write to its disk', () => 'See to the disk of Redis; its log says what is wrong'],
  [/LOADING/, 'it still loads its data', () => 'Wait until it has'],
  [
    /DB index|invalid DB/i,
    'it has no such database',
    () => 'Correct the number behind the last / in REDIS_URL, or leave it out',
  ],
  [
    /^(no response within|connect ETIMEDOUT)/,
    'it is connected to, and does not answer',
    () => 'See whether Redis hangs, whether that is a Redis at all, and whether it speaks TLS (rediss)',
  ],
  [
    /Connection is closed/,
    'it ends the connection at once',
    () =>
      'See that REDIS_URL says rediss exactly where TLS is spoken, and that Redis has room for one more client',
  ],
];

/** Says in plain words why Redis cannot be used. */
export function explainRedis(error: Error, url: URL, prefix: string): Trouble {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 6379);
  const trouble = explainConnection(error, { variable: 'REDIS_URL', host, port });
  if (trouble) return trouble;
  const refusal = REFUSALS.find(([pattern]) => pattern.test(error.message));
  if (refusal) return { found: `${url.host}: ${refusal[1]}`, advice: refusal[2](prefix) };
  // Its own words may repeat what was sent, the password included.
  return { found: `${url.host}: it cannot be used`, advice: 'The log of Redis may say why' };
}
