import { isIP } from 'node:net';
import { checkServerIdentity as checkName } from 'node:tls';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { HostAndPort } from '../../../domain/hostAndPort.ts';
import type { RedisServer } from '../../../domain/redisServer.ts';
import { readTlsFiles } from './tlsFiles.ts';

/** A client of ioredis. */
export type RedisClient = Redis | Cluster;

/** How long connecting to one address may take, the handshake of TLS included. */
export const CONNECT_MS = 1000;
/** How long a script that needs keys of two nodes waits before it is sent again, while they move between these. */
const TRY_AGAIN_MS = 10;
/** More than a command can be sent within the time that it may take. */
const MAX_REDIRECTIONS = 200;

/** What all clients have in common: they connect on request, and never send a command twice that may have been executed. */
const COMMON: RedisOptions = {
  connectTimeout: CONNECT_MS,
  // A frozen server would keep the socket half open.
  disconnectTimeout: 10,
  lazyConnect: true,
  // The heartbeat reconnects and checks readiness; commands are neither queued nor repeated.
  retryStrategy: null,
  enableReadyCheck: false,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  disableClientInfo: true,
};

/** A server, and the files for TLS as they were read. */
export interface ReadServer extends RedisServer {
  readonly tlsOptions: RedisOptions['tls'];
}

/**
 * Reads the files for TLS.
 *
 * @throws {TlsFileError} When one cannot be read.
 */
export function readServer(server: RedisServer): ReadServer {
  const { tls, addresses } = server;
  const checkServerIdentity = createIdentityCheck(addresses);
  return { ...server, tlsOptions: tls && { ...readTlsFiles(tls), checkServerIdentity } };
}

/** Creates a client for one address alone: a Redis, or a sentinel. */
export function createNodeClient(server: ReadServer, address: HostAndPort): Redis {
  return new Redis({ ...COMMON, ...toAccess(server), ...address, ...toTls(server) });
}

/** Sentinels have a password of their own, and no databases. */
function toAccess({ username, password, database, sentinel }: RedisServer): RedisOptions {
  return sentinel ? { password: sentinel.password ?? '' } : { username, password, db: database };
}

/** Creates a client that uses neither TLS nor a password. */
export function createPlainClient(address: HostAndPort): Redis {
  return new Redis({ ...COMMON, ...address });
}

/** Creates a client that finds the node of a cluster that has our keys, or the primary that a sentinel knows. */
export function createClient(server: ReadServer, start: HostAndPort): RedisClient {
  return server.mode === 'cluster' ? createClusterClient(server, start) : createSentinelClient(server, start);
}

/**
 * Follows `MOVED`, `ASK` and `TRYAGAIN`, after each of which nothing has been executed. After a lost connection, a command
 * may have been: it is rejected.
 */
function createClusterClient(server: ReadServer, start: HostAndPort): Cluster {
  const { username, password } = server;
  const cluster = new Cluster([start], {
    redisOptions: { ...COMMON, username, password, ...toTls(server) },
    lazyConnect: true,
    clusterRetryStrategy: null,
    enableReadyCheck: false,
    // Only so that a command can wait for the connection to a node that was named by `MOVED`.
    enableOfflineQueue: true,
    maxRedirections: MAX_REDIRECTIONS,
    retryDelayOnTryAgain: TRY_AGAIN_MS,
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: CONNECT_MS,
    // The certificate is checked against the name, which must not be replaced by its address.
    dnsLookup: (host, callback) => callback(null, host),
  });
  cluster.on('+node', ignoreAskingErrors);
  return cluster;
}

/**
 * ioredis sends `ASKING` before a command without handling its failure, which would end the process. The command fails with it,
 * and is handled.
 */
function ignoreAskingErrors(node: Redis): void {
  const asking = node.asking.bind(node);
  node.asking = async () => asking().catch(() => 'OK' as const);
}

function createSentinelClient(server: ReadServer, start: HostAndPort): Redis {
  const { username, password, database: db, sentinel, tlsOptions: tls } = server;
  return new Redis({
    ...COMMON,
    username,
    password,
    db,
    sentinels: [start],
    name: sentinel?.name ?? '',
    sentinelPassword: sentinel?.password ?? '',
    sentinelCommandTimeout: CONNECT_MS,
    sentinelRetryStrategy: () => null,
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
  });
}

function toTls({ tlsOptions }: ReadServer): Pick<RedisOptions, 'tls'> {
  return tlsOptions ? { tls: tlsOptions } : {};
}

/**
 * Nodes often name each other by addresses, which are in no certificate. Such a node may also have one for a name that we were
 * told to connect to.
 */
function createIdentityCheck(addresses: readonly HostAndPort[]): typeof checkName {
  const names = addresses.map(({ host }) => host).filter((host) => isIP(host) === 0);
  return (host, certificate) => {
    const error = checkName(host, certificate);
    const isNamed = names.some((name) => checkName(name, certificate) === undefined);
    return isIP(host) !== 0 && isNamed ? undefined : error;
  };
}
