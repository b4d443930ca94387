import type { TrendingOrder, TrendingPeriod } from './generated/documents.ts';

/** What people read for what a chart covers. */
export const PERIOD_NAMES: Record<TrendingPeriod, string> = {
  LAST_7_DAYS: 'Last 7 days',
  LAST_30_DAYS: 'Last 30 days',
  LAST_120_DAYS: 'Last 120 days',
};

/** What people read for what a chart is ranked by. */
export const ORDER_NAMES: Record<TrendingOrder, string> = {
  VIEWS: 'Most viewed',
  LIKES: 'Most liked',
  COMMENTS: 'Most commented',
  REPOSTS: 'Most reposted',
};

/** The regions to choose from. The API takes any country: an address may name others. */
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

const regionNames = new Intl.DisplayNames(['en'], { type: 'region' });

/** A country's English name; its code where it has none. */
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

/** A length in seconds as `2:39`. */
export function clockTime(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `1 credit`, `2 credits`. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
