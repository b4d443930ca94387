import { TrendingOrder } from '../../../src/domain/chart.ts';
import {
  createEmulator,
  type Emulator,
  type EmulatorSwitches,
} from '../../../src/keyapi/emulator/emulator.ts';
import { poll } from './poll.ts';

/** An emulator that is listening, keeps its bill, and whose answers a test can hold back. */
export interface TestEmulator extends Pick<Emulator, 'switches' | 'counts' | 'close'> {
  /** What a program is told so that it takes it for KeyAPI. */
  readonly variables: Readonly<Record<string, string>>;
  /** Every page that it was asked for, as `US:7:VIEWS:1`. */
  readonly bill: readonly string[];
  /** Resolves when it was asked for so many. */
  readonly seeRequests: (count: number) => Promise<void>;
  /** Holds all answers back, until the function that it returns is called. */
  readonly hold: () => () => void;
}

const ORDERS: Record<string, TrendingOrder> = {
  vv: TrendingOrder.VIEWS,
  like: TrendingOrder.LIKES,
  comment: TrendingOrder.COMMENTS,
  repost: TrendingOrder.REPOSTS,
};

export async function startEmulator(switches: Partial<EmulatorSwitches> = {}): Promise<TestEmulator> {
  const bill: string[] = [];
  let held: Promise<void> | undefined;
  const emulator = createEmulator({
    ...switches,
    onRequest: ({ region, period, order_by = '', page }) => {
      bill.push(`${region}:${period}:${ORDERS[order_by]}:${page}`);
      return held;
    },
  });
  const { origin } = await emulator.listen();
  return {
    ...emulator,
    variables: { KEYAPI_BASE_URL: origin, KEYAPI_TOKEN: 'sk-secret' },
    bill,
    seeRequests: (count) => poll(() => bill.length >= count),
    hold: () => {
      let release = (): void => undefined;
      held = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        held = undefined;
        release();
      };
    },
  };
}
