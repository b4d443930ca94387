import { TrendingOrder } from '../../../src/domain/chart.ts';
import {
  createEmulator,
  type Emulator,
  type EmulatorSwitches,
} from '../../../src/keyapi/emulator/emulator.ts';
import type { Answer } from '../../support/app.ts';
import { type Program, startProgram } from './program.ts';

/** Replicas of the built program, as processes, behind one emulator. */
export interface Fleet {
  readonly replicas: readonly Replica[];
  readonly emulator: Emulator;
  /** Every page that upstream was asked for, as `US:7:VIEWS:1`. */
  readonly bill: string[];
  /** Adds a replica. */
  start(variables?: Record<string, string>): Promise<Replica>;
  close(): Promise<void>;
}

export interface Replica {
  readonly program: Program;
  readonly url: string;
  query<TData = Record<string, never>>(query: string): Promise<Answer<TData>>;
  /** What `/readyz` says. */
  readiness(): Promise<Record<string, unknown>>;
}

const ORDERS: Record<string, TrendingOrder> = {
  vv: TrendingOrder.VIEWS,
  like: TrendingOrder.LIKES,
  comment: TrendingOrder.COMMENTS,
  repost: TrendingOrder.REPOSTS,
};

/** Starts `count` replicas of `dist/main.js` with these variables. */
export async function startFleet(
  count: number,
  variables: Record<string, string>,
  switches: Partial<EmulatorSwitches> = {},
): Promise<Fleet> {
  const bill: string[] = [];
  const emulator = createEmulator({
    ...switches,
    onRequest: ({ region, period, order_by = '', page }) =>
      void bill.push(`${region}:${period}:${ORDERS[order_by]}:${page}`),
  });
  const base = await emulator.listen();
  const replicas: Replica[] = [];

  async function start(more: Record<string, string> = {}): Promise<Replica> {
    const program = startProgram([process.execPath, 'dist/main.js'], {
      PORT: '0',
      KEYAPI_BASE_URL: base.origin,
      KEYAPI_TOKEN: 'sk-secret',
      ...variables,
      ...more,
    });
    const [, origin = ''] = await program.see(/GraphQL at (http:\S+)\/graphql/);
    const replica: Replica = {
      program,
      url: `${origin}/graphql`,
      query: async (query) => {
        const response = await fetch(`${origin}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        });
        return (await response.json()) as Answer<never>;
      },
      readiness: async () => (await (await fetch(`${origin}/readyz`)).json()) as Record<string, unknown>,
    };
    replicas.push(replica);
    return replica;
  }

  await Promise.all(Array.from({ length: count }, () => start()));
  return {
    replicas,
    emulator,
    bill,
    start,
    close: async () => {
      for (const { program } of replicas) program.child.kill('SIGKILL');
      await Promise.all(replicas.map(({ program }) => program.exit));
      await emulator.close();
    },
  };
}
