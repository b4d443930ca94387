import { expect } from '@jest/globals';
import type { EmulatorSwitches } from '../../../src/keyapi/emulator/emulator.ts';
import type { GraphqlResult } from '../../support/app.ts';
import { startEmulator, type TestEmulator } from './emulator.ts';
import { poll } from './poll.ts';
import { MAIN, PATIENT, type Program, postQuery, startProgram } from './program.ts';

/** Replicas of the built server, each a process, that call one emulator. */
export interface Fleet {
  readonly replicas: readonly Replica[];
  readonly emulator: TestEmulator;
  /** Adds a replica. */
  start(variables?: Record<string, string>): Promise<Replica>;
  /** Waits until all replicas report this state of Redis; they must stay ready meanwhile. */
  seeRedis(state: 'up' | 'down'): Promise<void>;
  close(): Promise<void>;
}

/** Limits that delay no call. */
export const FAST = { KEYAPI_QPS: '10000', KEYAPI_CONCURRENCY: '64' };

export interface Replica {
  readonly program: Program;
  readonly origin: string;
  query<TData = Record<string, never>>(query: string): Promise<GraphqlResult<TData>>;
  /** The JSON of `/readyz`. */
  readiness(): Promise<Record<string, unknown>>;
}

/** Starts `count` replicas of `dist/main.js` with these variables. */
export async function startFleet(
  count: number,
  variables: Record<string, string>,
  switches: Partial<EmulatorSwitches> = {},
): Promise<Fleet> {
  const emulator = await startEmulator(switches);
  const replicas: Replica[] = [];

  async function start(more: Record<string, string> = {}): Promise<Replica> {
    const program = startProgram([process.execPath, MAIN], {
      PORT: '0',
      ...PATIENT,
      // Long enough for a slow machine.
      REDIS_TIMEOUT_MS: '1500',
      // All requests come from one address.
      RATE_LIMIT_PER_MINUTE: '0',
      ...emulator.variables,
      ...variables,
      ...more,
    });
    const [, origin = ''] = await program.see(/GraphQL at (http:\S+)\/graphql/);
    const replica: Replica = {
      program,
      origin,
      query: async (query) => (await postQuery(`${origin}/graphql`, query)) as GraphqlResult<never>,
      readiness: async () => (await (await fetch(`${origin}/readyz`)).json()) as Record<string, unknown>,
    };
    replicas.push(replica);
    return replica;
  }

  async function seeRedis(state: 'up' | 'down'): Promise<void> {
    await poll(async () => {
      const states = await Promise.all(replicas.map((replica) => replica.readiness()));
      expect(states).toMatchObject(states.map(() => ({ status: 'ok' })));
      return states.every(({ redis }) => redis === state);
    });
  }

  async function close(): Promise<void> {
    for (const { program } of replicas) program.child.kill('SIGKILL');
    await Promise.all(replicas.map(({ program }) => program.exit));
    await emulator.close();
  }

  await Promise.all(Array.from({ length: count }, () => start()));
  return { replicas, emulator, start, seeRedis, close };
}
