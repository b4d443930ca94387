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
  /** Holds the answers for all pages, or these, back until the function that it returns is called. */
  readonly hold: (isHeld?: (page: string) => boolean) => () => void;
}

const ORDERS: Record<string, TrendingOrder> = {
  vv: TrendingOrder.VIEWS,
  like: TrendingOrder.LIKES,
  comment: TrendingOrder.COMMENTS,
  repost: TrendingOrder.REPOSTS,
};

export async function startEmulator(switches: Partial<EmulatorSwitches> = {}): Promise<TestEmulator> {
  const bill: string[] = [];
  let holdBack = (_page: string): Promise<void> | undefined => undefined;
  const emulator = createEmulator({
    ...switches,
    onRequest: ({ region, period, order_by = '', page }) => {
      const id = `${region}:${period}:${ORDERS[order_by]}:${page}`;
      bill.push(id);
      return holdBack(id);
    },
  });
  const { origin } = await emulator.listen();
  return {
    ...emulator,
    variables: { KEYAPI_BASE_URL: origin, KEYAPI_TOKEN: 'sk-secret' },
    bill,
    seeRequests: (count) => poll(() => bill.length >= count),
    hold: (isHeld = () => true) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      holdBack = (id) => (isHeld(id) ? released : undefined);
      return release;
    },
  };
}
