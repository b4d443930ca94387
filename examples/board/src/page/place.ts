import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TrendingOrder, TrendingPeriod } from '../generated/documents.ts';

/** By what the list of a chart is sorted. */
export type Sort = 'rank' | 'movement' | 'views' | 'likes';

/** What the page shows. All of it is in the URL, so links and the back button work. */
export interface Place {
  readonly view: 'chart' | 'compare';
  /** The region of the chart view. */
  readonly region: string;
  /** The compared regions: 1 to 4, no duplicates. By default the chart's region and some others. */
  readonly regions: readonly string[];
  readonly period: TrendingPeriod;
  readonly orderBy: TrendingOrder;
  /** The sort of the list in the chart view. */
  readonly sort: Sort;
  /** The list shows only videos with this text in their caption or creator; empty for all. */
  readonly search: string;
}

export const MAX_REGIONS = 4;
const REGION = 'US';
const REGIONS = ['US', 'IN', 'IT', 'BR'];
const SORTS: readonly Sort[] = ['rank', 'movement', 'views', 'likes'];

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
function parsePlace(query: string): Place {
  const parameters = new URLSearchParams(query);
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
    sort: SORTS.find((sort) => sort === parameters.get('sort')) ?? 'rank',
    search: parameters.get('search') ?? '',
  };
}

/** Writes a place as a URL's query string: the inverse of `parsePlace`. */
export function formatPlace({ view, region, regions, period, orderBy, sort, search }: Place): string {
  const where: Record<string, string> =
    view === 'compare' ? { view, regions: regions.join(','), region } : { region };
  const list = view === 'chart' && {
    ...(sort !== 'rank' && { sort }),
    ...(search && { search }),
  };
  const parameters = { ...where, period: PERIODS[period], order: ORDERS[orderBy], ...list };
  return `?${new URLSearchParams(parameters)}`.replaceAll('%2C', ',');
}

/** Whether the list shows all that is loaded, by rank. */
export function isByRank({ sort, search }: Place): boolean {
  return sort === 'rank' && search === '';
}

/** The rank that a link leads to; undefined if it leads to the top. */
export function parseRank(query: string): number | undefined {
  const rank = Number(new URLSearchParams(query).get('rank'));
  return Number.isSafeInteger(rank) && rank > 1 ? rank : undefined;
}

/** The full link to a place: to a rank of its chart, unless the list is sorted otherwise or searched. */
export function formatLink(place: Place, rank: number): string {
  const hasRank = rank > 1 && isByRank(place);
  const query = hasRank ? `${formatPlace(place)}&rank=${rank}` : formatPlace(place);
  return new URL(query, window.location.href).href;
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
  const query = formatPlace(place);
  if (query === formatPlace(parsePlace(window.location.search))) return;
  window.history.pushState(null, '', query);
  window.scrollTo({ top: 0 });
  window.dispatchEvent(new Event(MOVED));
}

/** Changes what the list shows, without a new entry in the browser's history. */
export function replacePlace(place: Place): void {
  window.history.replaceState(window.history.state, '', formatPlace(place));
  window.dispatchEvent(new Event(MOVED));
}

/** The place in the current URL. */
export function usePlace(): Place {
  const query = useSyncExternalStore(subscribe, () => window.location.search);
  return useMemo(() => parsePlace(query), [query]);
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
  // A step in the browser's history leads where it says: a choice just before it was for the entry that it left.
  useEffect(() => {
    const forget = (): void => setChoices(undefined);
    window.addEventListener('popstate', forget);
    return () => window.removeEventListener('popstate', forget);
  }, []);
  return [chosen, (change) => setChoices((others) => ({ ...others, ...change }))];
}

/** Sets the document's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Trending board`;
  }, [title]);
}
