import { useQuery } from '@apollo/client/react';
import { useEffect, useRef, useState } from 'react';
import { getFreshUntil, setFreshness } from '../api/freshness.ts';
import { MAX_WINDOW, PAGE_SIZE } from '../api/windows.ts';
import { type Explanation, explainError } from '../failures/explainError.ts';
import { useLastError } from '../failures/useLastError.ts';
import { ChartDocument, type ChartQuery } from '../generated/documents.ts';
import type { Place } from '../page/place.ts';
import { formatTime } from '../page/words.ts';
import { describeChanges } from './describeChanges.ts';

export type Chart = NonNullable<ChartQuery['trendingVideos']>;

/** The server refreshes a stale window after it has sent it: pauses before the window is requested again. */
const STALE_PAUSES_MS = [1000, 2000, 4000];

/** A chart as far as it is loaded, and what can be done with it. */
interface LoadedChart {
  /** Undefined until the first window has arrived. */
  readonly chart: Chart | undefined;
  readonly activity: 'idle' | 'loading' | 'refreshing';
  /** Why the first window is missing; it stays while another attempt is made. */
  readonly failure: Explanation | undefined;
  /** Why further windows could not be loaded. */
  readonly moreFailure: Explanation | undefined;
  /** Why the list could not be refreshed. */
  readonly refreshFailure: Explanation | undefined;
  /** Why numbers on videos are missing. */
  readonly numbersFailure: Explanation | undefined;
  /** What the last refresh has changed; empty before the first. */
  readonly news: string;
  /** Requests the first window again, after it failed. */
  reload(): void;
  /** Loads windows until the list reaches this rank or the chart ends. */
  loadUpTo(rank: number): Promise<void>;
  /** Forgets why further windows could not be loaded, so that they may be requested again. */
  forgetFailure(): void;
  /** Requests all loaded windows again if they may have changed. */
  refresh(): Promise<void>;
}

/** Loads the first window of a chart; the others when they are asked for. */
export function useChart({ region, period, orderBy }: Place): LoadedChart {
  const variables = { region, period, orderBy, first: PAGE_SIZE };
  const { data, error, loading, client, refetch, fetchMore } = useQuery(ChartDocument, {
    variables,
    // Ranks are shown even if numbers on videos are missing.
    errorPolicy: 'all',
  });
  const chart = data?.trendingVideos ?? undefined;
  const lastError = useLastError(error, loading);
  const isShown = useIsShown();
  const queue = useRef(Promise.resolve());
  /** Smaller after the server has refused a window as too expensive. */
  const largestWindow = useRef(MAX_WINDOW);
  const [activity, setActivity] = useState<LoadedChart['activity']>('idle');
  const [moreError, setMoreError] = useState<object>();
  const [refreshError, setRefreshError] = useState<object>();
  const [numbersError, setNumbersError] = useState<object>();
  const [news, setNews] = useState('');
  const isLoaded = chart !== undefined;
  useEffect(() => {
    if (isLoaded && error) setNumbersError(error);
  }, [isLoaded, error]);

  /** What is loaded now, which may not have been rendered yet. */
  const readChart = () => client.readQuery({ query: ChartDocument, variables })?.trendingVideos ?? undefined;

  /** Requests one window, at most as large as the server allows. */
  async function fetchWindow(after: string | null, ranks: number): Promise<Chart> {
    const pages = Math.max(1, Math.ceil(ranks / PAGE_SIZE));
    const size = Math.min(largestWindow.current, pages * PAGE_SIZE);
    const result = await fetchMore({ variables: { after, first: size }, errorPolicy: 'all' });
    const window = result.data?.trendingVideos;
    if (window) {
      if (result.error) setNumbersError(result.error);
      return window;
    }
    const cause = result.error ?? new Error('The response has no chart');
    if (size === PAGE_SIZE || explainError(cause).code !== 'OPERATION_TOO_EXPENSIVE') throw cause;
    largestWindow.current = PAGE_SIZE;
    return fetchWindow(after, ranks);
  }

  /** Requests windows, the first of them after the cursor, until one of them reaches the rank or the chart ends. */
  async function fetchWindows(rank: number, cursor: string | null, loaded: number): Promise<Chart[]> {
    const windows: Chart[] = [];
    let after = cursor;
    let last = loaded;
    do {
      const window = await fetchWindow(after, rank - last);
      windows.push(window);
      after = nextCursor(window);
      last = window.edges.at(-1)?.rank ?? last;
      // Windows of a chart that is no longer shown would cost credits for nothing.
    } while (after !== null && last < rank && isShown.current);
    return windows;
  }

  /** Runs tasks one after the other. */
  function run(
    kind: LoadedChart['activity'],
    setError: (error: object | undefined) => void,
    task: () => Promise<void>,
  ): Promise<void> {
    queue.current = queue.current.then(async () => {
      if (!isShown.current) return;
      setActivity(kind);
      try {
        await task();
        setError(undefined);
      } catch (cause) {
        setError(cause as Error);
        // Part of it may be older than the rest.
        setFreshness(variables, null);
      }
      setActivity('idle');
    });
    return queue.current;
  }

  function loadUpTo(rank: number): Promise<void> {
    return run('loading', setMoreError, async () => {
      const list = readChart();
      const after = list ? nextCursor(list) : null;
      const last = list?.edges.at(-1)?.rank ?? 0;
      if (after !== null && last < rank) await fetchWindows(rank, after, last);
    });
  }

  async function refresh(): Promise<void> {
    // Rendered before the next news, so that these are announced even if they are the same.
    setNews('');
    await null;
    const freshUntil = getFreshUntil(variables);
    if (freshUntil > Date.now()) {
      setNews(`Nothing can have changed: this data stays the same until ${formatTime(freshUntil)}.`);
      return;
    }
    await run('refreshing', setRefreshError, async () => {
      const before = readChart()?.edges ?? [];
      const last = before.at(-1)?.rank ?? PAGE_SIZE;
      setNumbersError(undefined);
      let windows = await fetchWindows(last, null, 0);
      for (const pauseMs of STALE_PAUSES_MS) {
        if (!isShown.current || !windows.some(({ stale }) => stale)) break;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        windows = await fetchWindows(last, null, 0);
      }
      const isStale = windows.some(({ stale }) => stale);
      const after = windows.flatMap(({ edges }) => edges);
      setNews(isStale ? 'Newer data is not available yet.' : describeChanges(before, after));
    });
  }

  return {
    chart,
    activity: !chart && loading ? 'loading' : activity,
    failure: explainIf(chart ? undefined : lastError),
    moreFailure: explainIf(moreError),
    refreshFailure: explainIf(refreshError),
    numbersFailure: explainIf(numbersError),
    news,
    reload: () => void refetch().catch(() => undefined),
    loadUpTo,
    forgetFailure: () => setMoreError(undefined),
    refresh,
  };
}

/** Whether the component is still on the page. */
function useIsShown(): { readonly current: boolean } {
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  return isShown;
}

function explainIf(error: object | undefined): Explanation | undefined {
  return error && explainError(error);
}

/** Where the chart continues after this window; null at its end. */
export function nextCursor({ pageInfo: { hasNextPage, endCursor } }: Chart): string | null {
  return hasNextPage ? endCursor : null;
}
