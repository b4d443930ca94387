import type { AppEvent } from '../../src/observe/appEvent.ts';
import { type GraphqlResult, startApp, type TestApp } from '../support/app.ts';
import { settle } from '../support/cache.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { type Handler, startUpstream } from '../support/upstream.ts';
import { serveChart, serveNumbers } from './faults.ts';

interface Stats {
  readonly views: number | null;
  readonly fetchedAt: string;
  readonly stale: boolean;
}
/** The data of a window of a chart with its numbers. */
export interface ChartWithNumbers {
  readonly trendingVideos: {
    readonly edges: { readonly rank: number; readonly node: { readonly stats: Stats | null } }[];
  } | null;
}
type Result = GraphqlResult<ChartWithNumbers>;

/** The program in front of an upstream whose charts work, and whose numbers do what the test says. */
export interface NumbersApp extends TestApp {
  readonly clock: TestClock;
  readonly events: AppEvent[];
  /** Reads a window with its numbers. */
  read(first: number): Promise<Result>;
  /** Reads a window of this region without numbers. */
  readChart(first: number, region?: string): Promise<Result>;
  /** Sets how upstream responds for numbers from now on; without a handler, it refuses all connections. */
  setNumbers(handler: Handler | undefined): Promise<void>;
  /** Attempts to call the endpoint of this name, also those that got no connection; only refreshes with `background`. */
  calls(endpoint: 'trendingVideos' | 'videoAnalytics', background?: true): number;
  /** Waits until no call is in flight, refreshes included. */
  finishCalls(): Promise<void>;
}

const WITH_NUMBERS = `query ($first: Int) {
  trendingVideos(first: $first) { edges { rank node { stats { views fetchedAt stale } } } }
}`;
const WITHOUT_NUMBERS = `query ($first: Int, $region: CountryCode!) {
  trendingVideos(first: $first, region: $region) { edges { rank } }
}`;

/** Starts it. At first, numbers work too. */
export async function startNumbersApp(
  variables: Record<string, string> = {},
  clock: TestClock = createTestClock(),
): Promise<NumbersApp> {
  const events: AppEvent[] = [];
  let behave: Handler = serveNumbers();
  const serveCharts = serveChart();
  const upstream = await startUpstream((request, response) => {
    const isAboutNumbers = request.url?.includes('/analytics?') ?? false;
    (isAboutNumbers ? behave : serveCharts)(request, response);
  });
  const onEvent = (event: AppEvent): void => void events.push(event);
  const app = await startApp(upstream.url, variables, { clock, random: () => 0, onEvent });
  return {
    ...app,
    clock,
    events,
    read: (first) => app.query<ChartWithNumbers>(WITH_NUMBERS, { first }),
    readChart: (first, region = 'US') => app.query<ChartWithNumbers>(WITHOUT_NUMBERS, { first, region }),
    setNumbers: async (handler) => {
      if (!handler) return upstream.pause();
      behave = handler;
      await upstream.resume();
    },
    calls: (endpoint, background) =>
      events.filter(
        (event) =>
          (event.type === 'upstreamCall' || event.type === 'connectionFailed') &&
          event.endpoint === endpoint &&
          (!background || event.background),
      ).length,
    // Each call has a deadline from its start to its end.
    finishCalls: async () => {
      await settle();
      while (clock.deadlines().length > 0) await settle();
      await settle();
    },
    close: async () => {
      await app.close();
      await upstream.close();
    },
  };
}

/** The ranks of a window. */
export function ranksOf({ data }: Result): number[] {
  return data?.trendingVideos?.edges.map(({ rank }) => rank) ?? [];
}

/** What is there of the numbers of a window, by rank. */
export function numbersOf({ data }: Result): ReadonlyMap<number, Stats> {
  const edges = data?.trendingVideos?.edges ?? [];
  return new Map(edges.flatMap(({ rank, node }) => (node.stats ? [[rank, node.stats] as const] : [])));
}

/** The same, of a handler whose first responses wait until `count` requests have arrived: all are in flight at once. */
export function holdFor(count: number, handler: Handler): Handler {
  const waiting: (() => void)[] = [];
  let arrived = 0;
  return (request, response) => {
    arrived++;
    waiting.push(() => handler(request, response));
    if (arrived >= count) for (const respond of waiting.splice(0)) respond();
  };
}
