import { useQuery } from '@apollo/client/react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { getFreshUntil } from '../api/freshness.ts';
import { type Explanation, explainError } from '../failures/explainError.ts';
import { useLastError } from '../failures/useLastError.ts';
import { ChartDocument, type ChartQuery } from '../generated/documents.ts';
import type { Place } from '../page/place.ts';
import { formatTime } from '../page/words.ts';
import { describeChanges } from './describeChanges.ts';

export type Chart = NonNullable<ChartQuery['trendingVideos']>;

/** One page of the provider: 2 credits for its ranks and 2 for the numbers, unless they are cached. */
export const WINDOW = 20;
/** The largest window of the API. */
const MAX_WINDOW = 100;
/** The server refreshes a stale window after it has sent it: pauses before the window is requested again. */
const STALE_PAUSES_MS = [1000, 2000, 4000];

/** A chart as far as it is loaded, and what can be done with it. */
export interface LoadedChart {
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
  /** Requests all loaded windows again if they may have changed. */
  refresh(): Promise<void>;
}

/** Loads the first `count` ranks of a chart, or as many of them as one window can have. */
export function useChart({ region, period, orderBy }: Place, count: number): LoadedChart {
  const [first] = useState(() => sizeWindow(count));
  const variables = { region, period, orderBy, first };
  const { data, error, loading, client, refetch, fetchMore } = useQuery(ChartDocument, {
    variables,
    // Ranks are shown even if numbers on videos are missing.
    errorPolicy: 'all',
  });
  const chart = data?.trendingVideos ?? undefined;
  const lastError = useLastError(error, loading);

  const [activity, setActivity] = useState<LoadedChart['activity']>('idle');
  const [moreError, setMoreError] = useState<unknown>();
  const [refreshError, setRefreshError] = useState<unknown>();
  /** Of the windows after the first one; null if none of their numbers were missing. */
  const [numbersError, setNumbersError] = useState<unknown>();
  const [news, setNews] = useState('');
  const queue = useRef(Promise.resolve());
  const isShown = useIsShown();

  /** What is loaded now, which may not have been rendered yet. */
  const readChart = () => client.readQuery({ query: ChartDocument, variables })?.trendingVideos ?? undefined;

  /** Requests windows, the first of them after the cursor, until one of them reaches the rank or the chart ends. */
  async function fetchWindows(rank: number, cursor: string | null, loaded: number) {
    const edges: Chart['edges'] = [];
    let isStale = false;
    let missing: unknown = null;
    let after = cursor;
    let last = loaded;
    do {
      const window = { after, first: sizeWindow(rank - last) };
      const { data: received, error: cause } = await fetchMore({ variables: window, errorPolicy: 'all' });
      const list = received?.trendingVideos;
      if (!list) throw cause;
      edges.push(...list.edges);
      isStale ||= list.stale;
      missing ??= cause;
      after = nextCursor(list);
      last = list.edges.at(-1)?.rank ?? last;
      // Windows of a chart that is no longer shown would cost credits for nothing.
    } while (after !== null && last < rank && isShown.current);
    return { edges, isStale, missing };
  }

  /** Runs tasks one after the other. */
  function run(
    kind: LoadedChart['activity'],
    setError: (error: unknown) => void,
    task: () => Promise<void>,
  ): Promise<void> {
    queue.current = queue.current.then(async () => {
      if (!isShown.current) return;
      setActivity(kind);
      try {
        await task();
        setError(undefined);
      } catch (cause) {
        setError(cause);
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
      if (after === null || last >= rank) return;
      const { missing } = await fetchWindows(rank, after, last);
      if (missing) setNumbersError(missing);
    });
  }

  function refresh(): Promise<void> {
    const freshUntil = getFreshUntil(variables);
    if (freshUntil > Date.now()) {
      setNews(`Nothing can have changed: this data stays the same until ${formatTime(freshUntil)}.`);
      return Promise.resolve();
    }
    return run('refreshing', setRefreshError, async () => {
      const before = readChart()?.edges ?? [];
      const last = before.at(-1)?.rank ?? WINDOW;
      let result = await fetchWindows(last, null, 0);
      for (const pauseMs of STALE_PAUSES_MS) {
        if (!result.isStale || !isShown.current) break;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        result = await fetchWindows(last, null, 0);
      }
      setNumbersError(result.missing);
      setNews(result.isStale ? 'Newer data is not available yet.' : describeChanges(before, result.edges));
    });
  }

  const failure = useExplanation(chart ? undefined : lastError);
  return {
    chart,
    activity: !chart && loading ? 'loading' : activity,
    failure,
    moreFailure: useExplanation(moreError),
    refreshFailure: useExplanation(refreshError),
    numbersFailure: useExplanation(numbersError === undefined ? chart && lastError : numbersError),
    news,
    reload: () => void refetch().catch(() => undefined),
    loadUpTo,
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

/** The explanation of an error; the same object for the same error. */
function useExplanation(error: unknown): Explanation | undefined {
  return useMemo(() => (error ? explainError(error) : undefined), [error]);
}

/** The size of a window for a number of ranks: whole pages of the provider, so that no part of a page is requested twice. */
function sizeWindow(ranks: number): number {
  return Math.min(MAX_WINDOW, Math.max(1, Math.ceil(ranks / WINDOW)) * WINDOW);
}

/** Where the chart continues after this window; null at its end. */
export function nextCursor({ pageInfo: { hasNextPage, endCursor } }: Chart): string | null {
  return hasNextPage ? endCursor : null;
}
