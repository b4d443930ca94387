import { hostAndPort } from '../domain/hostAndPort.ts';
import { explainConnection, type Trouble } from './explainConnection.ts';

const ADDRESS = 'redis://user:password@host:port/database';

/** Errors of Redis: a pattern for the message, its meaning, and what to do. */
const REFUSALS: readonly (readonly [RegExp, string, (prefix: string) => string])[] = [
  [
    /^(WRONGPASS|ERR invalid password)/,
    'it does not accept the user or the password',
    () => `Correct them in REDIS_URL (${ADDRESS}); write @ : / ? # in a password as %40 %3A %2F %3F %23`,
  ],
  [/NOAUTH/, 'it requires a password', () => `Add it to REDIS_URL: ${ADDRESS}`],
  [
    /NOPERM|can't run this command|unknown command/i,
    'this user is not allowed to run all commands that are needed, scripts above all',
    (prefix) =>
      `Let an administrator allow them: ACL SETUSER name ~${prefix}:* +@read +@write +@scripting +@keyspace +@connection +time`,
  ],
  [
    /READONLY|read only replica/,
    'it is a replica, which cannot be written to',
    () => 'Set REDIS_URL to its primary',
  ],
  [
    /OOM/,
    'its memory is full',
    () =>
      'Give it more memory, or the policy volatile-lru as in compose.yaml: all our keys have a time to live',
  ],
  [/MISCONF/, 'it cannot write to its disk', () => 'Check the disk of Redis; its log says what is wrong'],
  [/LOADING/, 'it is still loading its data', () => 'Wait until it is ready'],
  [
    /DB index|invalid DB/i,
    'it has no such database',
    () => 'Correct the number after the last / in REDIS_URL, or leave it out',
  ],
  [
    /^(no response within|connect ETIMEDOUT)/,
    'it accepts the connection, but does not respond',
    () => 'Check whether Redis hangs, whether this is a Redis at all, and whether it requires TLS (rediss)',
  ],
  [
    /Connection is closed/,
    'it closes the connection at once',
    () =>
      'Check whether REDIS_URL should use TLS (rediss) or not, and whether Redis has reached its limit of clients',
  ],
];

/** Explains why Redis cannot be used. */
export function explainRedis(error: Error, url: URL, prefix: string): Trouble {
  const trouble = explainConnection(error, { variable: 'REDIS_URL', ...hostAndPort(url) });
  if (trouble) return trouble;
  const refusal = REFUSALS.find(([pattern]) => pattern.test(error.message));
  if (refusal) return { found: `${url.host}: ${refusal[1]}`, advice: refusal[2](prefix) };
  // Its own message may repeat what was sent, the password included.
  return { found: `${url.host}: it cannot be used`, advice: 'Check the log of Redis' };
}
