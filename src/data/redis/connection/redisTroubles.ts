import { addressOf } from '../../../domain/hostAndPort.ts';
import type { RedisServer } from '../../../domain/redisServer.ts';
import { RedisFailure } from './openRedis.ts';
import { TlsFileError } from './tlsFiles.ts';

/** What is wrong with Redis, and what to do about it. */
export interface RedisTrouble {
  readonly found: string;
  readonly advice: string;
}

const COMMANDS =
  '+@string +@hash +@sortedset +@stream +@keyspace +eval +evalsha +time +@connection -@admin -@dangerous +info';
const ADDRESS = 'redis://user:password@host:port/database';

/** What to do about a cluster that is taken for a single Redis. */
export const CLUSTER_ADVICE =
  'Set REDIS_MODE=cluster, and REDIS_URL to the addresses of several nodes: redis://host:port,host:port';

/** Errors of Redis, of Node's TLS and of `openRedis`: a pattern for code and message, its meaning, and what to do. */
const TROUBLES: readonly (readonly [RegExp, string, string | ((server: RedisServer) => string)])[] = [
  // What it is.
  [
    /Too many Cluster redirections/,
    'the nodes of the cluster do not agree on which of them has our keys',
    'Check redis-cli --cluster check',
  ],
  [/MOVED|CROSSSLOT/, 'it is a node of a Redis Cluster, which has only some of the keys', CLUSTER_ADVICE],
  [
    /it is a sentinel/,
    'it is a sentinel, which knows the primary and stores nothing',
    'Set REDIS_MODE=sentinel, and REDIS_SENTINEL_NAME to the name of the primary; or REDIS_URL to the primary itself',
  ],
  [
    /it is no cluster|cluster support disabled/,
    'it is a single Redis, not a cluster',
    'Set REDIS_MODE=single, or correct REDIS_URL',
  ],
  [
    /it is no sentinel|unknown command .?sentinel/i,
    'it is a Redis, not a sentinel',
    'Set REDIS_URL to the addresses of the sentinels (port 26379), or set REDIS_MODE=single',
  ],
  [
    /No such master/i,
    'the sentinels know no primary of that name',
    (server) =>
      `Correct REDIS_SENTINEL_NAME ("${server.sentinel?.name}"): it is in their line "sentinel monitor"`,
  ],
  [
    /READONLY|read only replica/,
    'it is a replica, which cannot be written to',
    ({ mode }) => (mode === 'single' ? 'Set REDIS_URL to its primary' : 'Wait until the failover is over'),
  ],
  // TLS.
  [
    /it does not use TLS|^(EPROTO|ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)) /,
    'it does not use TLS on this port',
    'Write redis:// instead of rediss:// in REDIS_URL, or the port for TLS',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)\w*|CERT_UNTRUSTED) /,
    'TLS: its certificate is not trusted',
    'If your own authority signed it, set REDIS_TLS_CA to the certificate of that authority',
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID /,
    'TLS: its certificate is for another name',
    'Let it be for the name or the address that is connected to, or for a name in REDIS_URL',
  ],
  [
    /^ERR_SSL_(TLSV13_ALERT_CERTIFICATE_REQUIRED|\w+_ALERT_HANDSHAKE_FAILURE) /,
    'TLS: it requires a certificate of its clients',
    'Set REDIS_TLS_CERT and REDIS_TLS_KEY to a certificate that it accepts, and its key',
  ],
  [
    /^ERR_SSL_\w+_ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|ACCESS_DENIED|DECRYPT_ERROR) /,
    'TLS: it does not accept the certificate in REDIS_TLS_CERT',
    'Set REDIS_TLS_CERT to a certificate that is valid, and whose authority Redis trusts',
  ],
  [
    /^(ECONNRESET|EPIPE) /,
    'it closes the connection at once',
    ({ tls }) =>
      tls
        ? 'Write redis:// instead of rediss:// in REDIS_URL if this port is not for TLS'
        : 'Write rediss:// instead of redis:// in REDIS_URL if this port is for TLS; it may also have reached its limit of clients',
  ],
  // Access.
  [
    /WRONGPASS|ERR invalid password/,
    'it does not accept the user or the password',
    (server) =>
      server.mode === 'sentinel'
        ? 'Correct those of the primary in REDIS_URL, and REDIS_SENTINEL_PASSWORD for the sentinels'
        : `Correct them in REDIS_URL (${ADDRESS}); write @ : / ? # in a password as %40 %3A %2F %3F %23`,
  ],
  [
    /NOAUTH/,
    'it requires a password',
    (server) =>
      server.mode === 'sentinel'
        ? 'Add that of the primary to REDIS_URL, and set REDIS_SENTINEL_PASSWORD for the sentinels'
        : `Add it to REDIS_URL: ${ADDRESS}`,
  ],
  [
    /NOPERM|can't run this command|unknown command/i,
    'this user is not allowed to run all commands that are needed, scripts above all',
    (server) => `Let an administrator allow them: ACL SETUSER name ${toAclRules(server)}`,
  ],
  // Its state.
  [
    /OOM/,
    'its memory is full',
    'Give it more memory, or the policy volatile-lru as in compose.yaml: all our keys have a time to live',
  ],
  [/MISCONF/, 'it cannot write to its disk', 'Check the disk of Redis; its log says what is wrong'],
  [/LOADING/, 'it is still loading its data', 'Wait until it is ready'],
  [
    /CLUSTERDOWN/,
    'the cluster does not serve all its slots',
    'Check redis-cli --cluster check; without a replica, a primary that is down is not replaced',
  ],
  [
    /DB index|invalid DB/i,
    'it has no such database',
    'Correct the number after the last / in REDIS_URL, or leave it out',
  ],
];

/** Errors that say only that there is no connection: for a node that another one has named. */
const UNREACHABLE =
  /^(ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN) |Connection is closed|None of startup/;

/** Explains why Redis cannot be used, if that is known. */
export function findTrouble(error: unknown, server: RedisServer): RedisTrouble | undefined {
  if (error instanceof TlsFileError) return explainFile(error);
  const { address, cause } = error instanceof RedisFailure ? error : { address: undefined, cause: error };
  const { code = '', message } = cause as NodeJS.ErrnoException;
  const text = `${code} ${message}`;
  const { mode, addresses } = server;
  const there = addresses
    .filter((one) => address === undefined || one === address)
    .map(addressOf)
    .join(',');
  const trouble = TROUBLES.find(([pattern]) => pattern.test(text));
  if (trouble) {
    const [, found, advice] = trouble;
    return { found: `${there}: ${found}`, advice: typeof advice === 'string' ? advice : advice(server) };
  }
  if (mode === 'single' || address || !UNREACHABLE.test(text)) return undefined;
  return {
    found: `${there}: the primary that it names cannot be reached`,
    advice:
      'Wait for the failover if the primary is down. Otherwise let the nodes announce addresses that this server can reach ' +
      '(cluster-announce-ip, replica-announce-ip)',
  };
}

function explainFile({ setting, message }: TlsFileError): RedisTrouble {
  return {
    found: `${setting}: ${message}`,
    advice: 'Set it to a PEM file that this user can read',
  };
}

/** What a user is allowed to do: no more than the server needs. It can neither flush Redis nor swap its databases. */
function toAclRules({ mode, prefix }: RedisServer): string {
  return `~${prefix}:* ${COMMANDS}${mode === 'cluster' ? ' +cluster|slots' : ''}`;
}
