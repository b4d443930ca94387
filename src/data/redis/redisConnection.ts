import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import { hostAndPort } from '../../domain/hostAndPort.ts';
import type { OnDataEvent } from '../events.ts';
import { limitTime } from './limitTime.ts';
import { heartbeat } from './scripts/heartbeat.ts';
import { REPLICAS_KEY } from './scripts/redisKeys.ts';
import { createRunScript, type RunScript } from './scripts/script.ts';

/** Where Redis is, and which keys in it are ours. */
interface RedisConnectionOptions {
  /** `redis:` or `rediss:` (TLS), with user, password and database. */
  readonly url: URL;
  /** What every key begins with. */
  readonly prefix: string;
  /** How long a command may take before Redis counts as down. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/**
 * Called with every heartbeat, twice a second while Redis is up. `isFirst`: Redis was down, or has lost its data; the
 * connection is not open to others yet. An error that it throws marks Redis as down.
 */
type OnHeartbeat = (run: RunScript, isFirst: boolean) => Promise<void>;

/**
 * The connection to Redis, which may go down at any time: its users continue without Redis when a command is rejected.
 *
 * A command that fails, or takes more than `timeoutMs`, marks Redis as down. From then on all commands are rejected at
 * once, while a heartbeat in the background tries to reconnect twice a second.
 */
export interface RedisConnection {
  /** Identifies this process among the replicas. */
  readonly replica: string;
  isUp(): boolean;
  /**
   * Redis's clock, the same for all replicas, in Unix milliseconds with a fraction; the local clock until it is known.
   */
  now(): number;
  /**
   * How many replicas must divide the rate limit among themselves because Redis does not coordinate them yet; 1 when it
   * does.
   */
  uncoordinatedReplicas(): number;
  readonly run: RunScript;
  /** The values of all these keys, in one `MGET`. */
  read(keys: readonly string[]): Promise<readonly (Buffer | null)[]>;
  /** Starts the heartbeat; resolves when it is known whether Redis is up. */
  open(): Promise<void>;
  /** Adds a listener; before `open`, or it misses the first heartbeat. */
  onHeartbeat(listener: OnHeartbeat): void;
  /** Called each time that Redis is usable again. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
}

const CONNECT_MS = 1000;
const HEARTBEAT_MS = 500;
/** Latency is the shortest of this many heartbeats: a single one may be delayed. */
const LATENCIES = 10;
/** A replica without a heartbeat for this long does not count any more. */
const REPLICA_TTL_MS = 2000;
/** After Redis has come up, the other replicas may take this long to notice. */
const SETTLE_MS = 2000;
/** Assumed until Redis was reached once: too few calls are better than a 429, which stops all calls for a minute. */
const ASSUMED_REPLICAS = 4;

/** Creates a connection, which is down until it is opened. */
export function createRedisConnection(options: RedisConnectionOptions): RedisConnection {
  const { url, prefix, timeoutMs, clock, onEvent } = options;
  const slowMs = toSlowMs(timeoutMs);
  const replica = randomUUID();
  const password = decodeURIComponent(url.password);
  const client = createRedisClient(url, password);
  const heartbeatListeners: OnHeartbeat[] = [];
  const upListeners: (() => void)[] = [];
  let upSince: number | undefined;
  let isClosed = false;
  /** By how much Redis's clock is ahead of the monotonic one. */
  let offsetMs: number | undefined;
  let replicas: number | undefined;
  /** Of the last heartbeats, in milliseconds. */
  let latencies: readonly number[] = [];
  let connectionError: Error | undefined;
  let currentHeartbeat: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  client.on('error', (error) => {
    connectionError = error;
  });

  const now = (): number => (offsetMs === undefined ? clock.now() : clock.monotonic() + offsetMs);
  const isSettled = (): boolean => upSince !== undefined && clock.monotonic() >= upSince + SETTLE_MS;
  const toRedisKey = (key: string): string => `${prefix}:${key}`;
  const runScript = createRunScript(client, { toRedisKey, now });
  const runInTime: RunScript = (...call) => limitTime(runScript(...call), timeoutMs);

  async function beat(): Promise<void> {
    // After a reconnect it may be another Redis.
    if (upSince !== undefined && client.status !== 'ready') {
      markDown(new Error('the connection was closed'));
    }
    const wasUp = upSince !== undefined;
    try {
      if (!wasUp) await connect();
      const isForgotten = await register();
      const isFirst = !wasUp || isForgotten;
      await Promise.all(heartbeatListeners.map((listener) => listener(runInTime, isFirst)));
      if (!isFirst || isClosed) return;
      upSince = clock.monotonic();
      if (!wasUp) onEvent({ type: 'redisUp' });
      for (const listener of upListeners) listener();
    } catch (error) {
      markDown(error);
    }
  }

  async function connect(): Promise<void> {
    if (client.status !== 'wait' && client.status !== 'end')
      throw new Error('the last connection is still closing');
    connectionError = undefined;
    // When the database does not exist, ioredis only emits an error, and continues in database 0.
    const connected = limitTime(client.connect(), CONNECT_MS).then(() =>
      limitTime(client.mget(toRedisKey(REPLICAS_KEY)), timeoutMs),
    );
    await connected.catch((error) => {
      // The emitted error says more.
      throw connectionError ?? error;
    });
    if (connectionError) throw connectionError;
  }

  /** Registers this replica, and learns Redis's time and the number of replicas; true when it was not registered. */
  async function register(): Promise<boolean> {
    const sentAt = clock.monotonic();
    const registered = await heartbeat(runInTime, { replica, ttlMs: REPLICA_TTL_MS });
    const answeredAt = clock.monotonic();
    recordLatency(answeredAt - sentAt);
    recordOffset(registered.now - (sentAt + answeredAt) / 2);
    replicas = isSettled() ? registered.replicas : Math.max(replicas ?? 1, registered.replicas);
    return registered.isNew;
  }

  /** The fastest heartbeat measures it best. A large change means that a clock was set: it is taken at once. */
  function recordOffset(ms: number): void {
    const isBest = latencies.at(-1) === Math.min(...latencies);
    if (offsetMs === undefined || isBest || Math.abs(ms - offsetMs) > timeoutMs) offsetMs = ms;
  }

  /** Throws when Redis is always slow: every operation would lose a multiple of that. */
  function recordLatency(ms: number): void {
    latencies = [...latencies, ms].slice(-LATENCIES);
    const isSlow = latencies.length === LATENCIES && Math.min(...latencies) > slowMs;
    if (isSlow) throw new Error(`none of the last ${LATENCIES} heartbeats took less than ${slowMs} ms`);
  }

  function markDown(error: unknown): void {
    const wasUp = upSince !== undefined;
    upSince = undefined;
    client.disconnect();
    if (isClosed) return;
    onEvent({ type: 'redisDown', wasUp, reason: withoutPassword((error as Error).message) });
  }

  /** Some servers repeat an unknown command in their error. */
  function withoutPassword(text: string): string {
    return password !== '' && text.includes(password) ? 'its error repeats the password' : text;
  }

  async function attempt<T>(command: () => Promise<T>): Promise<T> {
    if (upSince === undefined) throw new Error('Redis is down');
    const usedSince = upSince;
    try {
      return await command();
    } catch (error) {
      // Redis may have been down and come up since the command was sent.
      if (upSince === usedSince) markDown(error);
      throw error;
    }
  }

  function scheduleHeartbeat(): void {
    if (isClosed) return;
    timer = setTimeout(() => {
      currentHeartbeat = beat().finally(scheduleHeartbeat);
    }, HEARTBEAT_MS);
    timer.unref();
  }

  return {
    replica,
    isUp: () => upSince !== undefined,
    now,
    uncoordinatedReplicas: () => (isSettled() ? 1 : (replicas ?? ASSUMED_REPLICAS)),
    run: (...call) => attempt(() => runInTime(...call)),
    read: (keys) => attempt(() => limitTime(client.mgetBuffer(...keys.map(toRedisKey)), timeoutMs)),
    open: () => {
      currentHeartbeat = beat().finally(scheduleHeartbeat);
      return currentHeartbeat;
    },
    onHeartbeat: (listener) => void heartbeatListeners.push(listener),
    onUp: (listener) => void upListeners.push(listener),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      client.disconnect();
      await currentHeartbeat;
    },
  };
}

/** The latency beyond which Redis counts as down when it is always slower: 40 ms where a command may take 150. */
export function toSlowMs(timeoutMs: number): number {
  return Math.round((timeoutMs * 4) / 15);
}

/** Creates an ioredis client that connects on request, and neither queues nor repeats commands. */
export function createRedisClient(url: URL, password: string): Redis {
  return new Redis({
    ...hostAndPort(url),
    username: decodeURIComponent(url.username),
    password,
    db: Number(url.pathname.slice(1)),
    ...(url.protocol === 'rediss:' && { tls: {} }),
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
  });
}
