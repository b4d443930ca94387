import type { CachedStats } from '../../../src/data/stats/statsStore.ts';
import { ApiError } from '../../../src/domain/errors.ts';
import { encodeGlobalId } from '../../../src/domain/globalId.ts';
import type { CachedPage } from '../../../src/domain/page.ts';
import type { TrendingVideo } from '../../../src/domain/trendingVideo.ts';
import type { VideoStats } from '../../../src/domain/videoStats.ts';
import { US_VIEWS } from '../../support/charts.ts';

// What is stored in the fixtures. Every field has a value somewhere, and each that may be null is null somewhere.

/** When everything was fetched: when the test clock starts. */
export const START = Date.UTC(2026, 0, 1);

const video: Required<TrendingVideo> = {
  id: encodeGlobalId('TrendingVideo', '7310871003254096742'),
  itemId: '7310871003254096742',
  itemUrl: 'https://www.tiktok.com/@mnm_pipi/video/7310871003254096742',
  title: 'A "title" ❤️ and\nmore',
  cover: 'https://p16.tiktokcdn.com/a?x-expires=1770133396',
  coverExpiresAt: 1_770_133_396_000,
  duration: 9,
  region: 'United States',
  countryCode: 'US',
  creator: { handle: 'mnm_pipi', url: 'https://www.tiktok.com/@mnm_pipi' },
};

const plainVideo: Required<TrendingVideo> = {
  ...video,
  id: encodeGlobalId('TrendingVideo', '42'),
  itemId: '42',
  cover: null,
  coverExpiresAt: null,
  region: null,
  countryCode: null,
  creator: null,
};

const page: CachedPage = {
  chart: US_VIEWS,
  number: 1,
  pageSize: 20,
  rows: [video, null, plainVideo],
  hasMore: true,
  totalCount: 500,
  fetchedAt: START,
  sequence: 1,
  generation: 1,
  freshUntil: 3_600_001,
  coversUntil: null,
};

const emptyPage: Required<CachedPage> = {
  ...page,
  number: 2,
  rows: [],
  hasMore: false,
  timesEmpty: 2,
  sequence: 2,
  coversUntil: 1_800_001,
};

export const PAGES: readonly CachedPage[] = [page, emptyPage];

const numbers: Required<VideoStats> = {
  views: 2 ** 40,
  likes: 2,
  comments: 3,
  shares: 4,
  favorites: 5,
  publishedAt: START - 86_400_000,
  fetchedAt: START,
};

const unknownNumbers: Required<VideoStats> = {
  views: null,
  likes: null,
  comments: null,
  shares: null,
  favorites: null,
  publishedAt: null,
  fetchedAt: START,
};

const entry: Required<CachedStats> = {
  itemId: '1',
  stats: numbers,
  freshUntil: 3_600_001,
  isRefused: false,
};

export const STATS: readonly CachedStats[] = [
  entry,
  { ...entry, itemId: '2', stats: unknownNumbers },
  { ...entry, itemId: '3', stats: null },
  { ...entry, itemId: '4', stats: null, isRefused: true },
];

export const FAILURE = new ApiError('UPSTREAM_RATE_LIMITED', {
  message: 'Too many requests.',
  retryAfterSeconds: 30,
  upstream: { status: 429, code: 429, requestId: 'abc' },
});
