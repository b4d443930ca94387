import type { TrendingOrder, TrendingPeriod } from '../generated/documents.ts';

/** Labels of the periods. */
export const PERIOD_NAMES: Record<TrendingPeriod, string> = {
  LAST_7_DAYS: 'Last 7 days',
  LAST_30_DAYS: 'Last 30 days',
  LAST_120_DAYS: 'Last 120 days',
};

/** Labels of the orders. */
export const ORDER_NAMES: Record<TrendingOrder, string> = {
  VIEWS: 'Most viewed',
  LIKES: 'Most liked',
  COMMENTS: 'Most commented',
  REPOSTS: 'Most reposted',
};

/** The regions to choose from. The API accepts any country, so a URL may name others. */
export const REGIONS = [
  ...[
    'US',
    'AR',
    'AT',
    'AU',
    'BE',
    'BR',
    'CA',
    'CH',
    'CL',
    'CO',
    'CZ',
    'DE',
    'DK',
    'EG',
    'ES',
    'FI',
    'FR',
    'GB',
    'GR',
  ],
  ...[
    'HU',
    'ID',
    'IE',
    'IL',
    'IN',
    'IT',
    'JP',
    'KE',
    'KR',
    'MX',
    'MY',
    'NG',
    'NL',
    'NO',
    'NZ',
    'PE',
    'PH',
    'PK',
    'PL',
  ],
  ...['PT', 'RO', 'SA', 'SE', 'SG', 'TH', 'TR', 'TW', 'UA', 'VN', 'ZA'],
];

// Words are English; numbers, dates and times are formatted for the browser's locale, which is that of `Intl` by default.

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });

/** A country's English name, or its code if it has no name. */
export function regionName(code: string): string {
  return regionNames.of(code) ?? code;
}

const agoFormat = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** How long ago a moment was, such as `12 minutes ago`. */
export function ago(time: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now - time) / 60_000));
  if (minutes === 0) return 'just now';
  if (minutes < 60) return agoFormat.format(-minutes, 'minute');
  if (minutes < 48 * 60) return agoFormat.format(-Math.floor(minutes / 60), 'hour');
  return agoFormat.format(-Math.floor(minutes / 60 / 24), 'day');
}

export const DAY_MS = 86_400_000;
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const dateFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const momentFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** A moment in the browser's time zone, such as `yesterday, 14:00`. */
export function formatDayAndTime(time: number, now: number): string {
  const days = toDay(now) - toDay(time);
  const day = { 0: 'today', 1: 'yesterday' }[days] ?? dateFormat.format(time);
  return `${day}, ${timeFormat.format(time)}`;
}

/** The number of a day in the browser's time zone. */
function toDay(time: number): number {
  const date = new Date(time);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS;
}

/** A time of the day, such as `14:00`. */
export function formatTime(time: number): string {
  return timeFormat.format(time);
}

const secondsFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** When something will happen, such as `at 14:00:05`; with the date if that is hours from now. */
export function formatUpcoming(time: number): string {
  const isSoon = time - Date.now() < DAY_MS / 8;
  return isSoon ? `at ${secondsFormat.format(time)}` : `on ${momentFormat.format(time)}`;
}

/** A date and time, to the second. */
export function formatMoment(time: number): string {
  return momentFormat.format(time);
}

/** A length in seconds as `2:39`. */
export function clockTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

const ordinalRules = new Intl.PluralRules('en', { type: 'ordinal' });
const ORDINAL_SUFFIXES: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** `1st`, `2nd`, `18th`. */
export function ordinal(number: number): string {
  return `${number}${ORDINAL_SUFFIXES[ordinalRules.select(number)] ?? 'th'}`;
}

const numberFormat = new Intl.NumberFormat();
const compactFormat = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });

/** A number with all its digits, such as `3,880,512`. */
export function formatNumber(number: number): string {
  return numberFormat.format(number);
}

/** A number rounded, such as `3.9M`. */
export function formatCompact(number: number): string {
  return compactFormat.format(number);
}

/** `1 credit`, `2 credits`. */
export function count(number: number, noun: string): string {
  return `${formatNumber(number)} ${noun}${number === 1 ? '' : 's'}`;
}
