import { TrendingOrder } from '../../../src/domain/chart.ts';
import {
  createEmulator,
  type Emulator,
  type EmulatorSwitches,
} from '../../../src/keyapi/emulator/emulator.ts';
import { UNMOVED_DAY } from '../../../src/keyapi/emulator/scores.ts';
import { poll } from './poll.ts';

/** A listening emulator that records its requests, and whose responses a test can delay. */
export interface TestEmulator extends Pick<Emulator, 'switches' | 'counts' | 'close'> {
  /** Environment variables that make a program use it as KeyAPI. */
  readonly variables: Readonly<Record<string, string>>;
  /** Every page that was requested, as `US:7:VIEWS:1`, and the item ids of every request for numbers, as sent. */
  readonly bill: readonly string[];
  /** Resolves when there were `count` requests. */
  readonly seeRequests: (count: number) => Promise<void>;
  /** Delays all responses, or some, until the function that it returns is called. */
  readonly hold: (isDelayed?: (id: string) => boolean) => () => void;
}

const ORDERS: Record<string, TrendingOrder> = {
  vv: TrendingOrder.VIEWS,
  like: TrendingOrder.LIKES,
  comment: TrendingOrder.COMMENTS,
  repost: TrendingOrder.REPOSTS,
};

/** Starts it on a free port. By default its charts do not move from day to day. */
export async function startEmulator(switches: Partial<EmulatorSwitches> = {}): Promise<TestEmulator> {
  const bill: string[] = [];
  let delay = (_id: string): Promise<void> | undefined => undefined;
  const emulator = createEmulator({
    date: UNMOVED_DAY,
    ...switches,
    onRequest: ({ region, period, order_by = '', page, video_ids }) => {
      const id = video_ids ?? `${region}:${period}:${ORDERS[order_by]}:${page}`;
      bill.push(id);
      return delay(id);
    },
  });
  const { origin } = await emulator.listen();
  return {
    ...emulator,
    variables: { KEYAPI_BASE_URL: origin, KEYAPI_TOKEN: 'sk-secret' },
    bill,
    seeRequests: (count) => poll(() => bill.length >= count),
    hold: (isDelayed = () => true) => {
      let release = (): void => undefined;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      delay = (id) => (isDelayed(id) ? released : undefined);
      return release;
    },
  };
}
