/// <reference path="./lua.d.ts" />
import type { Cluster, Redis } from 'ioredis';
import common from './common.lua';
import rejectLate from './rejectLate.lua';

/**
 * Constants that several scripts share, as Lua locals, in milliseconds. Redis also has values of replicas of other
 * releases: never set a limit below the values that those write.
 */
export const BOUNDS = {
  /** How far a time may lie ahead of Redis's clock. A value with a later one was not written by these scripts. */
  MAX_LEAD_MS: 5000,
  /** The longest time for which the circuit is open; likewise. */
  MAX_PAUSE_MS: 3_600_000,
  /** The longest time for which a call counts, or is waited for as a probe; likewise. */
  MAX_CALL_MS: 700_000,
  /** How much longer than a call may take other calls wait for it as a probe. */
  PROBE_MARGIN_MS: 1000,
  /** A command that was sent longer ago is rejected. */
  MAX_LATE_MS: 2000,
  /** How long no credits are spent after a failover: the replicas do not all find the new primary at the same moment. */
  FAILOVER_HOLD_MS: 5000,
  /** How much longer than needed entries are stored. */
  GRACE_MS: 60_000,
};

/** A Lua script, for what must be atomic and takes more than one command. For Redis 6.2 and later. */
export interface Script {
  readonly name: string;
  readonly lua: string;
}

/**
 * Runs a script. Its keys have no prefix yet. Its first argument is when it was sent, in milliseconds of Redis's clock as
 * far as that is known; `args` follow. Resolves to a list with Buffers in place of texts.
 */
export type RunScript = (
  script: Script,
  keys: readonly string[],
  args: readonly ScriptArgument[],
) => Promise<readonly unknown[]>;

/** An argument of a script, where true is `1`, false is `0`, and what is left out is an empty text. */
type ScriptArgument = string | number | boolean | Buffer | undefined;

/** Joins a script of shared pieces and its own text, the last. It rejects commands that were sent too long ago. */
export function defineScript(name: string, ...texts: readonly string[]): Script {
  const bounds = Object.entries(BOUNDS).map(([bound, ms]) => `local ${bound} = ${ms}`);
  return { name, lua: [...bounds, common, rejectLate, ...texts].join('\n') };
}

/**
 * Creates a function that runs scripts with the client of the moment. `now`: Redis's clock, as far as it is known. No script is
 * sent twice after Redis may have executed it.
 */
export function createRunScript(
  currentClient: () => Redis | Cluster | undefined,
  { toRedisKey, now }: { readonly toRedisKey: (key: string) => string; readonly now: () => number },
): RunScript {
  return async ({ name, lua }, keys, args) => {
    const client = currentClient();
    if (!client) throw new Error('Redis is down');
    // ioredis adds methods for each script. The one that is used here gives Buffers: values are compressed.
    const methods = client as unknown as Readonly<Record<string, (...args: unknown[]) => Promise<unknown[]>>>;
    if (!methods[name]) client.defineCommand(name, { lua });
    const method = methods[`${name}Buffer`];
    if (!method) throw new TypeError(`no such script: ${name}`);
    const encoded = args.map((arg) => (typeof arg === 'boolean' ? Number(arg) : (arg ?? '')));
    return method.call(client, keys.length, ...keys.map(toRedisKey), now().toFixed(), ...encoded);
  };
}
