import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TrendingOrder, TrendingPeriod } from './generated/documents.ts';

/** What the page shows. All of it is in the URL, so links and the back button work. */
export interface Place {
  readonly view: 'chart' | 'compare';
  /** The region of the chart view. */
  readonly region: string;
  /** The compared regions: 1 to 4, no duplicates. By default the chart's region and some others. */
  readonly regions: readonly string[];
  readonly period: TrendingPeriod;
  readonly orderBy: TrendingOrder;
}

export const MAX_REGIONS = 4;
const REGION = 'US';
const REGIONS = ['US', 'IN', 'IT', 'BR'];

/** The values used in the URL. */
const PERIODS: Record<TrendingPeriod, string> = {
  LAST_7_DAYS: '7',
  LAST_30_DAYS: '30',
  LAST_120_DAYS: '120',
};
const ORDERS: Record<TrendingOrder, string> = {
  VIEWS: 'views',
  LIKES: 'likes',
  COMMENTS: 'comments',
  REPOSTS: 'reposts',
};

/** Reads a place from a URL's query string; missing and invalid values get their defaults. */
export function parsePlace(search: string): Place {
  const parameters = new URLSearchParams(search);
  const regions = (parameters.get('regions') ?? '').toUpperCase().split(',').filter(isRegion);
  const region = (parameters.get('region') ?? '').toUpperCase();
  const ofChart = isRegion(region) ? region : REGION;
  const compared = regions.length > 0 ? regions : [ofChart, ...REGIONS];
  return {
    view: parameters.get('view') === 'compare' ? 'compare' : 'chart',
    region: ofChart,
    regions: [...new Set(compared)].slice(0, MAX_REGIONS),
    period: keyOf(PERIODS, parameters.get('period')) ?? 'LAST_7_DAYS',
    orderBy: keyOf(ORDERS, parameters.get('order')) ?? 'VIEWS',
  };
}

/** Writes a place as a URL's query string: the inverse of `parsePlace`. */
export function formatPlace({ view, region, regions, period, orderBy }: Place): string {
  const where: Record<string, string> =
    view === 'compare' ? { view, regions: regions.join(','), region } : { region };
  return `?${new URLSearchParams({ ...where, period: PERIODS[period], order: ORDERS[orderBy] })}`.replaceAll(
    '%2C',
    ',',
  );
}

function isRegion(text: string): boolean {
  return /^[A-Z]{2}$/.test(text);
}

function keyOf<Key extends string>(values: Record<Key, string>, value: string | null): Key | undefined {
  return (Object.keys(values) as Key[]).find((key) => values[key] === value);
}

/** Dispatched when this page changes its own URL: `pushState` fires no event. */
const MOVED = 'board:moved';

function subscribe(listener: () => void): () => void {
  for (const type of ['popstate', MOVED]) window.addEventListener(type, listener);
  return () => {
    for (const type of ['popstate', MOVED]) window.removeEventListener(type, listener);
  };
}

/** Navigates to a place, as a link would. */
export function goTo(place: Place): void {
  const search = formatPlace(place);
  if (search === window.location.search) return;
  window.history.pushState(null, '', search);
  window.scrollTo({ top: 0 });
  window.dispatchEvent(new Event(MOVED));
}

/** The place in the current URL. */
export function usePlace(): Place {
  const search = useSyncExternalStore(subscribe, () => window.location.search);
  return useMemo(() => parsePlace(search), [search]);
}

/** How long a choice must stay unchanged before the page navigates to it. */
const CHOICE_MS = 300;

/**
 * The current choices at `place`, and a function to change them. Each chart may cost credits, and arrow keys pass many
 * options on the way to the wanted one, so the page only navigates when a choice has not changed for a moment.
 */
export function useChosen(place: Place): readonly [Place, (change: Partial<Place>) => void] {
  const [choices, setChoices] = useState<Partial<Place>>();
  const chosen = useMemo(() => ({ ...place, ...choices }), [place, choices]);
  useEffect(() => {
    if (!choices) return;
    const timer = setTimeout(() => {
      setChoices(undefined);
      goTo(chosen);
    }, CHOICE_MS);
    return () => clearTimeout(timer);
  }, [chosen, choices]);
  return [chosen, (change) => setChoices((others) => ({ ...others, ...change }))];
}

/** Sets the document's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Trending board`;
  }, [title]);
}
