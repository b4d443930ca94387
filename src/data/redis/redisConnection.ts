import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Clock } from '../../domain/clock.ts';
import type { OnDataEvent } from '../events.ts';
import { limitTime } from './limitTime.ts';
import { SCRIPTS, type ScriptName } from './scripts.ts';

/** Where Redis is, and under which names we keep things there. */
export interface RedisLinkOptions {
  /** `redis:` or `rediss:` (TLS); user, password and database from it. */
  readonly url: URL;
  /** What every key begins with. */
  readonly prefix: string;
  /** How long a command may take before Redis counts as down. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly onEvent: OnDataEvent;
}

/**
 * Called every half second while Redis answers; `isFirst` when it had not before, and others cannot use it yet.
 * What it throws takes Redis for away.
 */
export type OnBeat = (run: RunScript, isFirst: boolean) => Promise<void>;

/** Runs a script of `scripts.ts`; it gets Redis's time and then `args`. */
export type RunScript = (
  script: ScriptName,
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<ScriptReply>;

/**
 * The way to Redis, an aid that may go at any time: whoever uses it goes on alone when a command is rejected.
 *
 * A command that fails, or takes more than `timeoutMs`, takes Redis for away: from then on all are rejected at once, while
 * a beat in the background tries again twice a second.
 */
export interface RedisLink {
  /** Names this process among the replicas. */
  readonly replica: string;
  isUp(): boolean;
  /** Redis's clock, which all replicas share, in Unix milliseconds with a fraction; ours until it was asked. */
  now(): number;
  /** How many replicas share what Redis cannot share out now: 1 while it does. */
  sharers(): number;
  readonly run: RunScript;
  /** The values of all these keys, in one `MGET`. */
  read(keys: readonly string[]): Promise<readonly (Buffer | null)[]>;
  /** Begins to beat; resolves when it is known whether Redis answers. */
  open(): Promise<void>;
  onBeat(listener: OnBeat): void;
  /** Called each time that Redis can be used again. */
  onUp(listener: () => void): void;
  close(): Promise<void>;
}

export type ScriptArgument = string | number | Buffer;
/** What a script returned: a list, with Lua's numbers cut to whole ones. */
export type ScriptReply = readonly (Buffer | number | null | readonly unknown[])[];

const CONNECT_MS = 1000;
const BEAT_MS = 500;
/** The quickest of so many beats tells how far Redis is: one may well be held up. */
const LATENCIES = 10;
/** A replica that has not told of itself for so long is gone. */
const REPLICA_MS = 2000;
/** After Redis has come back, it takes the other replicas as long to find out. */
const SETTLE_MS = 2000;
/** Until Redis has said how many we are: too few calls are better than a 429, which stops all for a minute. */
const UNKNOWN_REPLICAS = 4;

/** Makes a link; it is away until it is opened. */
export function createRedisLink({ url, prefix, timeoutMs, clock, onEvent }: RedisLinkOptions): RedisLink {
  const slowMs = toSlowMs(timeoutMs);
  const replica = randomUUID();
  const password = decodeURIComponent(url.password);
  const redis = createRedisClient(url, password);
  const listeners: OnBeat[] = [];
  const upListeners: (() => void)[] = [];
  let upSince: number | undefined;
  let isClosed = false;
  /** What Redis's clock is ahead of our monotonic one. */
  let offsetMs: number | undefined;
  let replicas: number | undefined;
  /** Of the last beats, in milliseconds. */
  let latencies: readonly number[] = [];
  let connectionError: Error | undefined;
  let beating: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  redis.on('error', (error) => {
    connectionError = error;
  });

  const now = (): number => (offsetMs === undefined ? clock.now() : clock.monotonic() + offsetMs);
  const isSettled = (): boolean => upSince !== undefined && clock.monotonic() >= upSince + SETTLE_MS;

  async function beat(): Promise<void> {
    // What answers on another connection may be another Redis.
    if (upSince !== undefined && redis.status !== 'ready') goAway(new Error('the connection was closed'));
    const wasUp = upSince !== undefined;
    try {
      if (!wasUp) await connect();
      const isForgotten = await greet();
      const isFirst = !wasUp || isForgotten;
      await Promise.all(listeners.map((listener) => listener(execute, isFirst)));
      if (!isFirst || isClosed) return;
      upSince = clock.monotonic();
      if (!wasUp) onEvent({ type: 'redisUp' });
      for (const listener of upListeners) listener();
    } catch (error) {
      goAway(error);
    }
  }

  async function connect(): Promise<void> {
    if (redis.status !== 'wait' && redis.status !== 'end')
      throw new Error('the last connection still closes');
    connectionError = undefined;
    // What ioredis tells as an event says more; where the database does not exist, it would go on in another one.
    const connected = limitTime(redis.connect(), CONNECT_MS).then(() =>
      limitTime(redis.mget(toName('replicas')), timeoutMs),
    );
    await connected.catch((error) => {
      throw connectionError ?? error;
    });
    if (connectionError) throw connectionError;
  }

  /** Asks what time it is, and how many we are; resolves with whether Redis does not know of us. */
  async function greet(): Promise<boolean> {
    const sentAt = clock.monotonic();
    const [seconds, microseconds, count, isNew] = await execute('greet', ['replicas'], [replica, REPLICA_MS]);
    const answeredAt = clock.monotonic();
    noteLatency(answeredAt - sentAt);
    noteOffset(Number(seconds) * 1000 + Number(microseconds) / 1000 - (sentAt + answeredAt) / 2);
    replicas = isSettled() ? Number(count) : Math.max(replicas ?? 1, Number(count));
    return isNew === 1;
  }

  /** The quickest beat tells it best; but a clock that was set is believed at once. */
  function noteOffset(ms: number): void {
    const isBest = latencies.at(-1) === Math.min(...latencies);
    if (offsetMs === undefined || isBest || Math.abs(ms - offsetMs) > timeoutMs) offsetMs = ms;
  }

  /** Takes a Redis for away that is slow all the time: each operation would lose a multiple of that. */
  function noteLatency(ms: number): void {
    latencies = [...latencies, ms].slice(-LATENCIES);
    const isSlow = latencies.length === LATENCIES && Math.min(...latencies) > slowMs;
    if (isSlow) throw new Error(`no answer within ${slowMs} ms in the last ${LATENCIES} beats`);
  }

  function goAway(error: unknown): void {
    const wasUp = upSince !== undefined;
    upSince = undefined;
    redis.disconnect();
    if (isClosed) return;
    onEvent({ type: 'redisDown', wasUp, reason: withoutPassword((error as Error).message) });
  }

  /** Some servers repeat a command that they do not know. */
  function withoutPassword(text: string): string {
    return password !== '' && text.includes(password) ? 'the answer to it repeats the password' : text;
  }

  async function attempt<T>(command: () => Promise<T>): Promise<T> {
    if (upSince === undefined) throw new Error('Redis is away');
    const usedSince = upSince;
    try {
      return await command();
    } catch (error) {
      // One that was sent before it went and came back says nothing of now.
      if (upSince === usedSince) goAway(error);
      throw error;
    }
  }

  function execute(
    script: ScriptName,
    keys: readonly string[],
    args: readonly ScriptArgument[],
  ): Promise<ScriptReply> {
    // ioredis adds a method for each script; in Buffers, since values are compressed.
    const methods = redis as unknown as Record<string, (...args: ScriptArgument[]) => Promise<ScriptReply>>;
    const method = methods[`${script}Buffer`];
    if (!method) throw new TypeError(`no such script: ${script}`);
    return limitTime(
      method.call(redis, keys.length, ...keys.map(toName), now().toFixed(), ...args),
      timeoutMs,
    );
  }

  function toName(key: string): string {
    return `${prefix}:${key}`;
  }

  function plan(): void {
    if (isClosed) return;
    timer = setTimeout(() => {
      beating = beat().finally(plan);
    }, BEAT_MS);
    timer.unref();
  }

  return {
    replica,
    isUp: () => upSince !== undefined,
    now,
    sharers: () => (isSettled() ? 1 : (replicas ?? UNKNOWN_REPLICAS)),
    run: (script, keys, args) => attempt(() => execute(script, keys, args)),
    read: (keys) => attempt(() => limitTime(redis.mgetBuffer(...keys.map(toName)), timeoutMs)),
    open: () => {
      beating = beat().finally(plan);
      return beating;
    },
    onBeat: (listener) => void listeners.push(listener),
    onUp: (listener) => void upListeners.push(listener),
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      redis.disconnect();
      await beating;
    },
  };
}

/** What a Redis that is near enough does not take all the time: 40 ms where a command may take 150. */
export function toSlowMs(timeoutMs: number): number {
  return Math.round((timeoutMs * 4) / 15);
}

/** A client that neither queues nor repeats commands, and connects when it is told to. */
export function createRedisClient(url: URL, password: string): Redis {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Redis({
    host,
    port: Number(url.port || 6379),
    username: decodeURIComponent(url.username),
    password,
    db: Number(url.pathname.slice(1)),
    ...(url.protocol === 'rediss:' && { tls: {} }),
    connectTimeout: CONNECT_MS,
    // A server that stands still would keep the socket half open.
    disconnectTimeout: 10,
    lazyConnect: true,
    // The beat does these three.
    retryStrategy: null,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    scripts: SCRIPTS,
  });
}
