import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../domain/clock.ts';
import type { RedisServer } from '../../../domain/redisServer.ts';
import type { OnDataEvent } from '../../events.ts';
import { heartbeat } from '../scripts/heartbeat.ts';
import { CHANGES_KEY, REPLICAS_KEY } from '../scripts/redisKeys.ts';
import { createRunScript, type RunScript } from '../scripts/script.ts';
import { limitTime } from './limitTime.ts';
import { openRedis } from './openRedis.ts';
import type { RedisClient } from './redisClient.ts';
import { findTrouble } from './redisTroubles.ts';

/** Where Redis is, and which keys in it are ours. */
interface RedisConnectionOptions {
  readonly server: RedisServer;
  /** The name of one of our keys in Redis. */
  readonly toRedisKey: (key: string) => string;
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
  /** Starts the heartbeat; resolves when it is known whether Redis is up, after two seconds at most. */
  open(): Promise<void>;
  /** Adds a listener; before `open`, or it misses the first heartbeat. */
  onHeartbeat(listener: OnHeartbeat): void;
  /** Called each time that Redis is usable again. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
}

const HEARTBEAT_MS = 500;
/** Several addresses that do not respond take longer: the process starts without Redis meanwhile. */
const OPEN_MS = 2000;
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
  const { server, toRedisKey, timeoutMs, clock, onEvent } = options;
  const slowMs = toSlowMs(timeoutMs);
  const replica = randomUUID();
  const closing = new AbortController();
  let client: RedisClient | undefined;
  const heartbeatListeners: OnHeartbeat[] = [];
  const upListeners: (() => void)[] = [];
  let upSince: number | undefined;
  /** To connect. */
  let attempts = 0;
  /** By how much Redis's clock is ahead of the monotonic one. */
  let offsetMs: number | undefined;
  let replicas: number | undefined;
  /** Of the last heartbeats, in milliseconds. */
  let latencies: readonly number[] = [];
  let currentHeartbeat: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;

  const now = (): number => (offsetMs === undefined ? clock.now() : clock.monotonic() + offsetMs);
  const isSettled = (): boolean => upSince !== undefined && clock.monotonic() >= upSince + SETTLE_MS;
  const runScript = createRunScript(() => client, { toRedisKey, now });
  const runInTime: RunScript = (...call) => limitTime(runScript(...call), timeoutMs);

  async function beat(): Promise<void> {
    if (upSince !== undefined && client?.status !== 'ready') {
      markDown(new Error('the connection was closed'));
    }
    const wasUp = upSince !== undefined;
    try {
      if (!wasUp) await connect();
      const isForgotten = await register();
      const isFirst = !wasUp || isForgotten;
      await Promise.all(heartbeatListeners.map((listener) => listener(runInTime, isFirst)));
      if (!isFirst || closing.signal.aborted) return;
      upSince = clock.monotonic();
      if (!wasUp) onEvent({ type: 'redisUp' });
      for (const listener of upListeners) listener();
    } catch (error) {
      markDown(error);
    }
  }

  /** With a new client, and another address first: a node or a sentinel may not know yet which one is the primary. */
  async function connect(): Promise<void> {
    const keys = [REPLICAS_KEY, CHANGES_KEY].map(toRedisKey);
    const first = attempts++ % server.addresses.length;
    const addresses = [...server.addresses.slice(first), ...server.addresses.slice(0, first)];
    ({ client } = await openRedis({ ...server, addresses }, { timeoutMs, keys, signal: closing.signal }));
    closing.signal.throwIfAborted();
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
    client?.disconnect();
    client = undefined;
    if (closing.signal.aborted) return;
    const advice = findTrouble(error, server)?.advice;
    onEvent({ type: 'redisDown', wasUp, reason: withoutPassword((error as Error).message), advice });
  }

  /** Some servers repeat an unknown command, and the beginning of its arguments, in their error. */
  function withoutPassword(message: string): string {
    const text = message.replace(/,? with args beginning with.*$/s, '');
    const passwords = [server.password, server.sentinel?.password];
    return passwords.some((password) => password && text.includes(password))
      ? 'its error repeats a password'
      : text;
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

  async function readValues(keys: readonly string[]): Promise<readonly (Buffer | null)[]> {
    if (!client) throw new Error('Redis is down');
    return client.mgetBuffer(...keys.map(toRedisKey));
  }

  function scheduleHeartbeat(): void {
    if (closing.signal.aborted) return;
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
    read: (keys) => attempt(() => limitTime(readValues(keys), timeoutMs)),
    open: async () => {
      currentHeartbeat = beat().finally(scheduleHeartbeat);
      await limitTime(currentHeartbeat, OPEN_MS).catch(() => undefined);
    },
    onHeartbeat: (listener) => void heartbeatListeners.push(listener),
    onUp: (listener) => void upListeners.push(listener),
    close: async () => {
      closing.abort();
      clearTimeout(timer);
      client?.disconnect();
      await currentHeartbeat;
    },
  };
}

/** The latency beyond which Redis counts as down when it is always slower: 40 ms where a command may take 150. */
export function toSlowMs(timeoutMs: number): number {
  return Math.round((timeoutMs * 4) / 15);
}
