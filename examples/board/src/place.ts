import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { TrendingOrder, TrendingPeriod } from './generated/documents.ts';

/** What is looked at. The address has it all, so that it can be shared and gone back to. */
export interface Place {
  readonly view: 'chart' | 'compare';
  /** The chart's. */
  readonly region: string;
  /** Those compared: 1 to 4, none twice. Where the address names none, the chart's region and others. */
  readonly regions: readonly string[];
  readonly period: TrendingPeriod;
  readonly orderBy: TrendingOrder;
}

export const MAX_REGIONS = 4;
const REGION = 'US';
const REGIONS = ['US', 'IN', 'IT', 'BR'];

/** Values of the address by what they mean. */
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

/** The place that an address's search part names; what it does not name, or not well, is the default. */
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

/** The search part of a place's address, the inverse of `parsePlace`. */
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

/** Dispatched when this page changes its own address, of which the browser tells nobody. */
const MOVED = 'board:moved';

function subscribe(listener: () => void): () => void {
  for (const type of ['popstate', MOVED]) window.addEventListener(type, listener);
  return () => {
    for (const type of ['popstate', MOVED]) window.removeEventListener(type, listener);
  };
}

/** Goes to a place, as a link would. */
export function goTo(place: Place): void {
  const search = formatPlace(place);
  if (search === window.location.search) return;
  window.history.pushState(null, '', search);
  window.scrollTo({ top: 0 });
  window.dispatchEvent(new Event(MOVED));
}

/** The place of the address. */
export function usePlace(): Place {
  const search = useSyncExternalStore(subscribe, () => window.location.search);
  return useMemo(() => parsePlace(search), [search]);
}

/** How long a choice waits for another one. */
const CHOICE_MS = 300;

/**
 * What is chosen at `place`, and how to choose more. Each chart that is gone to may cost credits, and a keyboard walks
 * through many on its way to the wanted one: only where it stays for a moment is gone to.
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

/** Names the page in the browser's tabs and history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Trending board`;
  }, [title]);
}
