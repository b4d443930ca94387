import type { HostAndPort } from '../../../domain/hostAndPort.ts';
import type { RedisServer } from '../../../domain/redisServer.ts';
import { limitTime } from './limitTime.ts';
import {
  CONNECT_MS,
  createClient,
  createNodeClient,
  createPlainClient,
  type ReadServer,
  type RedisClient,
  readServer,
} from './redisClient.ts';
import { watchPrimary } from './watchPrimary.ts';

/** What a Redis says about itself; undefined what it does not say, or this user is not allowed to read. */
export interface RedisInfo {
  readonly mode: string | undefined;
  readonly version: string | undefined;
  /** Identifies it until it restarts. */
  readonly runId: string | undefined;
}

/** A client that is connected. */
interface OpenRedis {
  readonly client: RedisClient;
  /** About the first address that responded. */
  readonly info: RedisInfo;
}

/** Why Redis cannot be used. */
export class RedisFailure extends Error {
  override readonly name = 'RedisFailure';

  constructor(
    /** Which address it is about; undefined when it is about the node that the address has led to. */
    readonly address: HostAndPort | undefined,
    override readonly cause: Error,
  ) {
    super(cause.message);
  }
}

/** How a client is opened. */
interface OpenRedisOptions {
  /** How long a command may take. */
  readonly timeoutMs: number;
  /** Two keys of ours, which are read once: this user may read them, and one node has both. */
  readonly keys: readonly string[];
  /** Closes what is being connected. */
  readonly signal?: AbortSignal;
}

/** Bounds finding the node that has our keys: the first one that is asked for it may not respond. */
const DISCOVERY_MS = 3 * CONNECT_MS;

/**
 * Connects to Redis. Of several addresses, the first that responds is used.
 *
 * @throws {RedisFailure} When Redis cannot be used. Of several failures, that of a server which responded.
 * @throws {TlsFileError} When a file for TLS cannot be read.
 */
export async function openRedis(server: RedisServer, options: OpenRedisOptions): Promise<OpenRedis> {
  const withFiles = readServer(server);
  let failure: unknown;
  for (const address of server.addresses) {
    try {
      return await openAt(address, withFiles, options);
    } catch (error) {
      if (failure === undefined || (hadNoConnection(failure) && !hadNoConnection(error))) failure = error;
      // The others would lead to the same node.
      if (error instanceof RedisFailure && error.address === undefined) break;
    }
  }
  throw failure;
}

/** Whether a failure is one of the operating system: no host, no route, no listener, no response. */
function hadNoConnection(failure: unknown): boolean {
  return /^E[A-Z]+$/.test(codeOf(failure));
}

/** Node's code of what a failure was caused by; empty when it has none. */
function codeOf(failure: unknown): string {
  const cause: NodeJS.ErrnoException | undefined =
    failure instanceof RedisFailure ? failure.cause : undefined;
  return cause?.code ?? '';
}

async function openAt(
  address: HostAndPort,
  server: ReadServer,
  options: OpenRedisOptions,
): Promise<OpenRedis> {
  const { keys, timeoutMs } = options;
  const readKeys = (client: RedisClient, ms: number): Promise<unknown> => limitTime(client.mget(...keys), ms);
  const node = createNodeClient(server, address);
  const info = await connect(node, address, options, async () => {
    const found = await readInfo(node, timeoutMs);
    checkMode(server, found);
    if (server.mode === 'single') await readKeys(node, timeoutMs);
    return found;
  }).catch(async (error: unknown) => {
    // Perhaps the handshake was waited for in vain.
    if (server.tls && codeOf(error) === 'ETIMEDOUT' && (await respondsWithoutTls(address, options)))
      throw new RedisFailure(address, new Error('it does not use TLS'));
    throw error;
  });
  if (server.mode === 'single') return { client: node, info };
  node.disconnect();
  const client = createClient(server, address);
  // The first command of a cluster connects to the node that has the keys.
  await connect(client, undefined, options, () => readKeys(client, CONNECT_MS + timeoutMs));
  if (server.mode === 'sentinel') watchPrimary(server, client);
  return { client, info };
}

/** Connects a client, and uses it for the first time; disconnects it when that fails. */
async function connect<T>(
  client: RedisClient,
  address: HostAndPort | undefined,
  { signal }: OpenRedisOptions,
  use: () => Promise<T>,
): Promise<T> {
  // Says more than what a command is rejected with. When the password or the database is refused, nothing is rejected.
  let emitted: Error | undefined;
  // One node may be down while the others are up.
  let nodeError: Error | undefined;
  client.on('node error', (error: Error) => {
    nodeError ??= error;
  });
  client.on('error', (error: Error & { readonly lastNodeError?: Error }) => {
    emitted ??= error.lastNodeError ?? error;
  });
  const disconnect = (): void => client.disconnect();
  signal?.addEventListener('abort', disconnect);
  try {
    signal?.throwIfAborted();
    await limitTime(client.connect(), DISCOVERY_MS);
    const result = await use();
    if (emitted) throw emitted;
    return result;
  } catch (error) {
    disconnect();
    throw new RedisFailure(address, emitted ?? nodeError ?? (error as Error));
  } finally {
    signal?.removeEventListener('abort', disconnect);
  }
}

async function readInfo(node: RedisClient, timeoutMs: number): Promise<RedisInfo> {
  const text = await limitTime(node.info('server'), timeoutMs).catch((error: Error) => {
    if (isForbidden(error)) return '';
    throw error;
  });
  return parseInfo(text);
}

/** Valkey says which Redis it is compatible with, too. */
export function parseInfo(text: string): RedisInfo {
  const read = (field: string): string | undefined => new RegExp(`^${field}:(\\S+)`, 'm').exec(text)?.[1];
  return {
    mode: read('redis_mode') ?? read('server_mode'),
    version: read('valkey_version') ?? read('redis_version'),
    runId: read('run_id'),
  };
}

/** Throws when the address does not lead to what the mode is for, as far as it says what it is. */
function checkMode({ mode }: RedisServer, found: RedisInfo): void {
  if (mode !== 'sentinel' && found.mode === 'sentinel') throw new Error('it is a sentinel');
  if (mode === 'sentinel' && found.mode !== undefined && found.mode !== 'sentinel')
    throw new Error('it is no sentinel');
  if (mode === 'cluster' && found.mode === 'standalone') throw new Error('it is no cluster');
}

/** Whether this user may not run a command; some services do not know all commands. */
function isForbidden({ message }: Error): boolean {
  return /^NOPERM|can't run this command|unknown command/i.test(message);
}

/** Whether a server responds to a command in plain text; nothing secret is sent. */
async function respondsWithoutTls(
  address: HostAndPort,
  { signal, timeoutMs }: OpenRedisOptions,
): Promise<boolean> {
  if (signal?.aborted) return false;
  const client = createPlainClient(address);
  client.on('error', () => undefined);
  try {
    await limitTime(client.connect(), timeoutMs);
    await limitTime(client.ping(), timeoutMs);
    return true;
  } catch (error) {
    return (error as Error).name === 'ReplyError';
  } finally {
    client.disconnect();
  }
}
